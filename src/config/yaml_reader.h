// A strict reader over a YamlNode: every key is asked for by name, what was not asked for is an unknown key,
// and every complaint carries place, key path and the source line. A wrong value is reported and reading goes
// on. Used by: the loaders of config/. Error texts are those of Go's YAML reader where it has one, so that
// users of Prometheus and Alertmanager recognise them. Thread: confined to one load.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "base/time.h"
#include "config/yaml_document.h"

namespace mlalert {

// One node with the way to it. Cheap to copy; borrows the tree, the source text and the diagnostics.
class YamlValue {
 public:
  YamlValue(const YamlNode& node, SourceText& source, Diagnostics& out)
      : node_(&node), source_(&source), out_(&out) {
    pos_ = node.pos;
  }

  const YamlNode& node() const { return *node_; }
  TextPos pos() const { return pos_; }
  const std::string& path() const { return path_; }
  bool IsNull() const { return node_->kind == YamlNode::Kind::kNull; }
  bool IsScalar() const { return node_->kind == YamlNode::Kind::kScalar; }

  size_t error_count() const { return out_->error_count(); }
  // Nobody will read a further error.
  bool IsFull() const { return out_->IsFull(DiagnosticLevel::kError); }
  void Error(std::string message, std::string hint = {}) const;
  void Warn(std::string message, std::string hint = {}) const;
  // `cannot unmarshal !!str `x` into bool`. A secret is not repeated.
  void WrongType(std::string_view go_type, bool secret = false) const;

  // Each reports and returns false on a wrong value, leaving `out` as it was. Null gives the zero value.
  bool Read(std::string& out) const;
  bool Read(bool& out) const;
  bool Read(int& out) const;
  bool Read(int64_t& out) const;
  bool Read(uint64_t& out) const;
  bool Read(double& out) const;
  bool Read(std::optional<bool>& out) const;  // null: nothing
  // Prometheus' grammar: 1h30m, 7d.
  bool Read(Duration& out) const;
  bool Read(Secret& out) const;
  bool Read(std::vector<std::string>& out) const;
  bool Read(std::map<std::string, std::string>& out) const;
  // Go's grammar: 1.5s, 100ms; a bare number is nanoseconds. No days.
  bool ReadGoDuration(Duration& out) const;

  // The items of a list; reports when it is none. Null is an empty list.
  std::vector<YamlValue> Items(std::string_view go_type) const;

  YamlValue Child(const YamlNode& node, TextPos pos, std::string path) const;
  // The same node, placed at a line and column (1-based, in bytes) within its text: for errors of a parser
  // that read the text. Stays where it is when the source shows the text in another form (folded, escaped).
  YamlValue Inside(const SourcePos& in_text) const;

 private:
  void Report(DiagnosticLevel level, std::string message, std::string hint) const;

  const YamlNode* node_;
  SourceText* source_;
  Diagnostics* out_;
  TextPos pos_;
  std::string path_;
};

class YamlMap {
 public:
  // Reports when `value` is no map (null is an empty one). `go_type` names it in messages, as upstream does.
  YamlMap(const YamlValue& value, std::string_view go_type);

  const YamlValue& value() const { return value_; }
  // The key is known from now on. Nothing when it is absent; a null value is there.
  std::optional<YamlValue> Take(std::string_view key);
  // Take() that also treats null as absent, as Go does for pointers and structs.
  std::optional<YamlValue> TakeSet(std::string_view key);
  // Where the key stands, for complaints about a key; the map itself when it is absent.
  YamlValue At(std::string_view key) const;

  // True when the key was there with a good value.
  template <class T>
  bool Read(std::string_view key, T& out) {
    auto found = Take(key);
    return found && found->Read(out);
  }
  bool ReadGoDuration(std::string_view key, Duration& out);

  // Reports every key that was not taken. Call it once, after the last Take().
  void Finish();
  // Something under this map was wrong since it was opened. Questions about the whole then make no sense:
  // upstream does not ask them either.
  bool Failed() const { return value_.error_count() > errors_before_; }
  // A key that may be there but is not asked for (documented, and ignored).
  void Ignore(std::string_view key) { known_.push_back(key); }

 private:
  YamlValue value_;
  std::string_view go_type_;
  size_t errors_before_;
  std::vector<std::string_view> known_;
};

// Go's time.ParseDuration.
Result<Duration> ParseGoDuration(std::string_view text);

}  // namespace mlalert
