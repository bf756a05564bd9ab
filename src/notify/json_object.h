// Writes one JSON object field by field, as Go's encoding/json would write the struct.
// Used by: the payload builders. Thread: confined to one build.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace mlalert {

class JsonObject {
 public:
  // Appends to `out`, which must outlive this.
  explicit JsonObject(std::string& out) : out_(out) { out_.push_back('{'); }

  // The value follows by the caller.
  std::string& Key(std::string_view key) {
    if (!first_) {
      out_.push_back(',');
    }
    first_ = false;
    AppendJsonString(out_, key);
    out_.push_back(':');
    return out_;
  }
  void Text(std::string_view key, std::string_view value) { AppendJsonString(Key(key), value); }
  // Go's omitempty.
  void TextUnlessEmpty(std::string_view key, std::string_view value) {
    if (!value.empty()) {
      Text(key, value);
    }
  }
  void Raw(std::string_view key, std::string_view json) { Key(key) += json; }
  void End() { out_.push_back('}'); }

 private:
  std::string& out_;
  bool first_ = true;
};

}  // namespace mlalert
