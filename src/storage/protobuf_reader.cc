#include "storage/protobuf_reader.h"

namespace mlalert {

bool ProtobufReader::Damaged() {
  ok_ = false;
  return false;
}

bool ProtobufReader::NextVarint(uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (pos_ == bytes_.size()) {
      return Damaged();
    }
    const auto byte = static_cast<unsigned char>(bytes_[pos_++]);
    const uint64_t bits = byte & 0x7FU;
    if (shift == 63 && bits > 1) {
      return Damaged();  // more than 64 bits
    }
    value |= bits << shift;
    if (byte < 0x80) {
      return true;
    }
  }
  return Damaged();
}

bool ProtobufReader::NextBytes(uint64_t length, std::string_view& out) {
  if (length > bytes_.size() - pos_) {
    return Damaged();
  }
  out = bytes_.substr(pos_, static_cast<size_t>(length));
  pos_ += static_cast<size_t>(length);
  return true;
}

bool ProtobufReader::NextFixed(size_t width, uint64_t& value) {
  std::string_view raw;
  if (!NextBytes(width, raw)) {
    return false;
  }
  value = 0;
  for (size_t i = 0; i < width; ++i) {
    value |= static_cast<uint64_t>(static_cast<unsigned char>(raw[i])) << (8 * i);
  }
  return true;
}

bool ProtobufReader::Next(Field& field) {
  if (!ok_ || AtEnd()) {
    return false;
  }
  uint64_t tag = 0;
  if (!NextVarint(tag)) {
    return false;
  }
  const uint64_t number = tag >> 3;
  if (number == 0 || number > 0x1FFFFFFF) {
    return Damaged();
  }
  field = {};
  field.number = static_cast<uint32_t>(number);
  switch (tag & 7) {
    case 0:
      field.type = Field::Type::kVarint;
      return NextVarint(field.value);
    case 1:
      field.type = Field::Type::kFixed64;
      return NextFixed(8, field.value);
    case 2: {
      field.type = Field::Type::kBytes;
      uint64_t length = 0;
      return NextVarint(length) && NextBytes(length, field.bytes);
    }
    case 5:
      field.type = Field::Type::kFixed32;
      return NextFixed(4, field.value);
    default:
      return Damaged();  // groups were given up before this format began
  }
}

}  // namespace mlalert
