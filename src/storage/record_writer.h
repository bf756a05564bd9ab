// Turns journal records into rows: one prepared statement per kind of record, made once, used for every
// batch. Fed by the journal thread inside its transaction. Thread: the writer's.
#pragma once

#include <memory>

#include "model/record.h"
#include "storage/sqlite.h"

namespace mlalert {

class RecordWriter {
 public:
  // `db` must outlive the writer.
  static Result<RecordWriter> Create(Db& db);
  RecordWriter(RecordWriter&&) noexcept;
  RecordWriter& operator=(RecordWriter&&) noexcept;
  ~RecordWriter();

  // Inside a transaction. Writing the same record twice is as writing it once, except for events.
  // kConflict and kInvalid: this record can never be written; the transaction can go on without it.
  Status Write(const Record& record);

  // Around the records of one transaction, where there are many: rows of the kinds that come in storms are
  // held back and written many to a statement, each table by itself and in the order of its key. The records
  // must live until End(). The error of a record may come out at a later one or at End(): roll back then, and
  // write them without a batch to learn which it is.
  class Batch {
   public:
    explicit Batch(RecordWriter& writer);
    Batch(const Batch&) = delete;
    Batch& operator=(const Batch&) = delete;
    ~Batch();
    Status End();

   private:
    RecordWriter& writer_;
  };

 private:
  struct Statements;
  explicit RecordWriter(std::unique_ptr<Statements> statements);
  std::unique_ptr<Statements> statements_;
};

}  // namespace mlalert
