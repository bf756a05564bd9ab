#include "rules/rule_slots.h"

#include <string>

#include "base/hash.h"

namespace mlalert {

namespace {

// Prometheus' in-memory form of a label set, over which it hashes: length, bytes, for each name and value.
void AppendSized(std::string& out, std::string_view text) {
  if (text.size() < 255) {
    out += static_cast<char>(text.size());
  } else {
    out += '\xFF';
    out += static_cast<char>(text.size() & 0xFF);
    out += static_cast<char>((text.size() >> 8) & 0xFF);
    out += static_cast<char>((text.size() >> 16) & 0xFF);
  }
  out += text;
}

}  // namespace

Duration SlotOffset(std::string_view file, std::string_view group, Duration interval) {
  std::string bytes;
  AppendSized(bytes, "file");
  AppendSized(bytes, file);
  AppendSized(bytes, "name");
  AppendSized(bytes, group);
  return Duration(static_cast<int64_t>(XxHash64(bytes) % static_cast<uint64_t>(interval.count())));
}

Timestamp SlotAtOrBefore(Timestamp t, Timestamp grid, Duration interval) {
  Duration past = (t - grid) % interval;
  if (past < Duration::zero()) {
    past += interval;
  }
  return t - past;
}

}  // namespace mlalert
