#include "cli/history_tools.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <memory>
#include <unistd.h>

#include "cli/command_flags.h"
#include "cli/history_command.h"
#include "cli/interrupt.h"
#include "cli/progress_line.h"
#include "cli/time_text.h"

#include "review/render.h"
#include "storage/maintenance.h"

namespace mlalert {
namespace {

struct ToolOptions {
  std::string storage_path = "data/";
  std::string file;
  std::string table = "events";
  std::string format = "jsonl";
  std::string since;
  std::string until;
  std::string older_than;
  bool progress = false;
};

int Fails(Console& console, const Error& error) {
  const int code = ReportError(console, error);
  return Interrupted() ? kInterruptedExit : code;
}

int RunBackup(const ToolOptions& options, Console& console) {
  CatchInterrupts();
  auto database = FindDatabase(options.storage_path);
  if (!database) {
    return ReportError(console, database.error());
  }
  ProgressLine line(console.err, options.progress || isatty(STDERR_FILENO) == 1, "backup");
  Status done = BackupHistory(*database, options.file, [&](double part) {
    line.Show(part);
    return !Interrupted();
  });
  line.Done();
  if (!done) {
    return Fails(console, done.error());
  }
  std::error_code error;
  console.out << fmt::format("wrote {} ({} bytes), checked\n", Printable(options.file),
                             std::filesystem::file_size(options.file, error));
  return 0;
}

int RunCheck(const ToolOptions& options, Console& console) {
  auto database = FindDatabase(options.file.empty() ? options.storage_path : options.file);
  auto problems = database ? CheckHistory(*database) : Fail(database.error());
  if (!problems) {
    return ReportError(console, problems.error());
  }
  if (problems->empty()) {
    console.out << fmt::format("{}: ok\n", Printable(*database));
    return 0;
  }
  for (const std::string& problem : *problems) {
    console.out << Printable(problem) << '\n';
  }
  console.err << "mlalert: the file is damaged; docs/operations.md says what to do\n";
  return 1;
}

int RunPrune(const ToolOptions& options, Timestamp now, Console& console) {
  CatchInterrupts();
  auto age = PositiveDuration("--older-than", options.older_than);
  auto database = age ? FindDatabase(options.storage_path) : Fail(age.error());
  if (!database) {
    return ReportError(console, database.error());
  }
  ProgressLine line(console.err, options.progress || isatty(STDERR_FILENO) == 1, "prune");
  auto rows = PruneHistory(*database, *age, now, [&](double part) {
    line.Show(part);
    return !Interrupted();
  });
  line.Done();
  if (!rows) {
    return Fails(console, rows.error());
  }
  console.out << fmt::format("{} rows deleted or rolled up\n", *rows);
  return 0;
}

std::string PlainCell(const ExportCell& cell) {
  if (const auto* integer = std::get_if<int64_t>(&cell)) {
    return std::to_string(*integer);
  }
  if (const auto* real = std::get_if<double>(&cell)) {
    std::string text;
    AppendJsonNumber(text, *real);
    return text;
  }
  const auto* text = std::get_if<std::string>(&cell);
  return text != nullptr ? *text : "";
}

Json JsonCell(const ExportCell& cell) {
  if (const auto* integer = std::get_if<int64_t>(&cell)) {
    return *integer;
  }
  if (const auto* real = std::get_if<double>(&cell)) {
    return *real;
  }
  const auto* text = std::get_if<std::string>(&cell);
  return text != nullptr ? Json(*text) : Json();
}

std::string Quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) {
    return text;
  }
  std::string out = "\"";
  for (char c : text) {
    out += c == '"' ? "\"\"" : std::string(1, c);
  }
  return out + "\"";
}

class Writer {
 public:
  Writer(std::ostream& out, std::string format, const std::vector<ExportColumn>& columns)
      : out_(out), format_(std::move(format)), columns_(columns) {}

  void Head() {
    if (format_ == "jsonl") {
      return;
    }
    std::string line;
    for (const ExportColumn& column : columns_) {
      line += (line.empty() ? "" : ",") + column.name;
    }
    out_ << line << "\r\n";
  }
  void Row(const std::vector<ExportCell>& cells) {
    if (format_ == "jsonl") {
      Json json = Json::MakeObject();
      for (size_t i = 0; i < cells.size(); ++i) {
        json.Set(columns_[i].name, JsonCell(cells[i]));
      }
      out_ << json.Dump() << '\n';
      return;
    }
    std::string line;
    for (size_t i = 0; i < cells.size(); ++i) {
      const std::string text = PlainCell(cells[i]);
      // Numbers are ours; texts came from outside. For programs (parquet-csv) nothing is put in front of
      // them.
      const bool guard = format_ == "csv" && std::holds_alternative<std::string>(cells[i]);
      line += (i == 0 ? "" : ",") + (guard ? CsvCell(text) : Quoted(text));
    }
    out_ << line << "\r\n";
  }

 private:
  std::ostream& out_;
  std::string format_;
  const std::vector<ExportColumn>& columns_;
};

// Names and types, for whoever turns the CSV into Parquet: an empty field is NULL.
Status WriteSchema(const std::string& file, const std::vector<ExportColumn>& columns) {
  Json list = Json::MakeArray();
  for (const ExportColumn& column : columns) {
    Json one = Json::MakeObject();
    one.Set("name", column.name);
    one.Set("type", column.type == "INTEGER" ? "int64" : column.type == "REAL" ? "double" : "string");
    list.Push(std::move(one));
  }
  Json json = Json::MakeObject();
  json.Set("columns", std::move(list)).Set("null", "");
  std::ofstream out(file + ".schema.json", std::ios::binary | std::ios::trunc);
  PrintJson(out, json);
  return out.flush() ? Status{} : Fail(ErrorCode::kIo, fmt::format("cannot write {}.schema.json", file));
}

Status Export(const ToolOptions& options, Timestamp now, std::ostream& out, ProgressLine& line,
              std::vector<ExportColumn>& columns) {
  MLALERT_ASSIGN(const std::string database, FindDatabase(options.storage_path));
  Timestamp since = kUnset;
  Timestamp until = kUnset;
  if (!options.since.empty()) {
    MLALERT_ASSIGN(since, ParseTimeFlag(options.since, now));
  }
  if (!options.until.empty()) {
    MLALERT_ASSIGN(until, ParseTimeFlag(options.until, now));
  }
  MLALERT_ASSIGN(auto reader, ExportReader::Open(database, options.table, since, until));
  columns = reader->columns();
  Writer writer(out, options.format, columns);
  writer.Head();
  int64_t written = 0;
  while (true) {
    MLALERT_ASSIGN(auto rows, reader->Next());
    if (rows.empty()) {
      break;
    }
    for (const auto& row : rows) {
      writer.Row(row);
    }
    written += static_cast<int64_t>(rows.size());
    line.Show(reader->total() == 0 ? 1 : static_cast<double>(written) / static_cast<double>(reader->total()));
    if (Interrupted()) {
      return Fail(ErrorCode::kDeadline, "stopped");
    }
    if (!out) {
      return Fail(ErrorCode::kIo, "cannot write the export");
    }
  }
  return out.flush() ? Status{} : Fail(ErrorCode::kIo, "cannot write the export");
}

int RunExport(const ToolOptions& options, Timestamp now, Console& console) {
  CatchInterrupts();
  const bool to_file = !options.file.empty() && options.file != "-";
  ProgressLine line(console.err, options.progress || (to_file && isatty(STDERR_FILENO) == 1), "export");
  std::vector<ExportColumn> columns;
  if (!to_file) {
    Status done = Export(options, now, console.out, line, columns);
    return done ? 0 : Fails(console, done.error());
  }
  // Under its name only when it is whole.
  const std::string partial = options.file + ".partial";
  Status done;
  {
    std::ofstream out(partial, std::ios::binary | std::ios::trunc);
    done = out ? Export(options, now, out, line, columns)
               : Fail(ErrorCode::kIo, fmt::format("cannot write {}", partial));
  }
  line.Done();
  if (done && options.format == "parquet-csv") {
    done = WriteSchema(options.file, columns);
  }
  if (done && std::rename(partial.c_str(), options.file.c_str()) != 0) {
    done = Fail(ErrorCode::kIo, fmt::format("cannot write {}", options.file));
  }
  if (!done) {
    std::error_code error;
    std::filesystem::remove(partial, error);
    return Fails(console, done.error());
  }
  return 0;
}

}  // namespace

void AddHistoryTools(CLI::App& history, int& exit_code) {
  auto options = std::make_shared<ToolOptions>();
  options->storage_path = EnvironmentOr("MLALERT_STORAGE_PATH", options->storage_path);
  auto add_path = [&](CLI::App& command) {
    command
        .add_option("--storage.path", options->storage_path,
                    "The directory `serve` was given, or a database file")
        ->option_text("DIR [data/] (env MLALERT_STORAGE_PATH)");
  };
  auto add_progress = [&](CLI::App& command) {
    command.add_flag("--progress", options->progress,
                     "Show progress also when standard error is no terminal");
  };
  CLI::App* backup = history.add_subcommand("backup", "Copy the file while mlalert runs, and check the copy");
  backup->add_option("FILE", options->file, "Must not exist")->required()->option_text(" ");
  add_path(*backup);
  add_progress(*backup);
  backup->callback([options, &exit_code] {
    Console console = StandardConsole();
    exit_code = RunBackup(*options, console);
  });
  CLI::App* check = history.add_subcommand("check", "Is the file intact?");
  check->add_option("FILE", options->file, "A backup; without: the file of --storage.path")->option_text(" ");
  add_path(*check);
  check->callback([options, &exit_code] {
    Console console = StandardConsole();
    exit_code = RunCheck(*options, console);
  });
  CLI::App* prune = history.add_subcommand("prune", "Delete what is older, now; only while no mlalert runs");
  prune->add_option("--older-than", options->older_than, "Age of resolved incidents; in whole weeks")
      ->required()
      ->option_text("DURATION (required)");
  add_path(*prune);
  add_progress(*prune);
  prune->callback([options, &exit_code] {
    Console console = StandardConsole();
    exit_code = RunPrune(*options, SystemClock().Now(), console);
  });
  CLI::App* dump = history.add_subcommand("export", "A table or view as CSV or JSON lines");
  dump->add_option("--table", options->table, "Name of a table or view (docs/history.md)")
      ->option_text("NAME [events]");
  dump->add_option("--format", options->format,
                   "jsonl; csv: formulas are disarmed; parquet-csv: for programs, with FILE.schema.json")
      ->check(CLI::IsMember({"jsonl", "csv", "parquet-csv"}))
      ->option_text("FORMAT [jsonl]");
  dump->add_option("--since", options->since, "From this time on, of tables that have one")
      ->option_text("TIME");
  dump->add_option("--until", options->until, "Before this time")->option_text("TIME");
  dump->add_option("--output", options->file, "Appears when it is whole")
      ->option_text("FILE [standard output]");
  add_path(*dump);
  add_progress(*dump);
  dump->callback([options, &exit_code] {
    Console console = StandardConsole();
    exit_code = RunExport(*options, SystemClock().Now(), console);
  });
}

}  // namespace mlalert
