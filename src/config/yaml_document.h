// A YAML text as an immutable tree with places, built from yaml-cpp's event stream (its own Node loses
// duplicate keys and merge keys). Aliases share nodes; `<<` merges are resolved; what may blow up is limited.
// Fed by: the loaders of config/ with file contents. Read through yaml_reader.h.
// yaml-cpp's exceptions end here. Thread: confined to one load.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics.h"
#include "config/source_text.h"

namespace mlalert {

inline constexpr size_t kYamlBytesMax = 8 * 1024 * 1024;
// Nodes counted as often as they are reachable, so that a bomb of aliases is as large as what it expands to.
inline constexpr size_t kYamlNodesMax = 250'000;
inline constexpr int kYamlDepthMax = 100;

struct YamlNode;
using YamlNodePtr = std::shared_ptr<const YamlNode>;

struct YamlNode {
  enum class Kind { kNull, kScalar, kSequence, kMap };
  struct Entry {
    std::string key;
    TextPos key_pos;
    YamlNodePtr value;
    bool plain = false;  // the key has no quotes: as a free value its type follows from its text
  };

  Kind kind = Kind::kNull;
  TextPos pos;         // of a null: the key it belongs to, or nothing
  bool plain = false;  // a scalar without quotes and tag: its type follows from its text
  std::string text;    // of a scalar, as written after unquoting
  std::vector<YamlNodePtr> items;
  std::vector<Entry> entries;  // unique keys, merged ones last
  size_t weight = 1;           // nodes below and with this one, aliases expanded
  int height = 1;

  const Entry* Find(std::string_view key) const;
  // YAML 1.1's name for it: !!str, !!int, !!float, !!bool, !!null, !!seq, !!map.
  std::string_view Tag() const;
};

// YAML 1.1: y, yes, on, true and their opposites in lower, Title and UPPER case.
bool ParseYamlBool(std::string_view text, bool& out);
// Decimal, 0x, 0b, 0o and leading-zero octal, with _ between digits.
bool ParseYamlInt(std::string_view text, int64_t& out);
bool ParseYamlFloat(std::string_view text, double& out);

struct YamlOptions {
  // The words of the message about a duplicate key; {key} and {line} (of the first one) are replaced.
  std::string_view duplicate_key = "mapping key \"{key}\" already defined at line {line}";
};

// Null when the text cannot be read at all (the reason is in `out`), else the first document, an empty one as
// a null node. Duplicate keys are reported and the first one is kept. `source` learns where secrets stand.
YamlNodePtr ParseYaml(std::string_view text, SourceText& source, Diagnostics& out,
                      const YamlOptions& options = {});

}  // namespace mlalert
