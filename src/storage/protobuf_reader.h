// Reads the wire format of Protocol Buffers, as far as Alertmanager's state files use it: varint, 64-bit,
// length-delimited and 32-bit fields. Knows no schema: a caller asks for one field after the other. Nothing
// is copied; every length is checked against what is there. Used by alertmanager_state.cc. Thread: plain
// value.
#pragma once

#include <cstdint>
#include <string_view>

namespace mlalert {

class ProtobufReader {
 public:
  explicit ProtobufReader(std::string_view bytes) : bytes_(bytes) {}

  struct Field {
    uint32_t number = 0;
    enum class Type : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 } type = Type::kVarint;
    uint64_t value = 0;      // of all types but kBytes
    std::string_view bytes;  // of kBytes
  };

  // The next field; false at the end and on damage: ask ok().
  bool Next(Field& field);
  // A varint alone: the length in front of a message, an element of a packed list.
  bool NextVarint(uint64_t& value);
  // `length` bytes.
  bool NextBytes(uint64_t length, std::string_view& out);

  bool ok() const { return ok_; }
  bool AtEnd() const { return pos_ == bytes_.size(); }
  size_t position() const { return pos_; }

 private:
  bool Damaged();
  bool NextFixed(size_t width, uint64_t& value);

  std::string_view bytes_;
  size_t pos_ = 0;
  bool ok_ = true;
};

}  // namespace mlalert
