// The commented sample: what `mlalert check --print-defaults` prints.
#include "config/key_table.h"

namespace mlalert {
namespace {

constexpr size_t kWidth = 110;

constexpr std::string_view kHead =
    R"(# mlalert's configuration: every key, with its default and its meaning. What stands without a # is all that is needed.
# Secrets: each has a twin `..._file`, which is read anew for each call. Types and examples: docs/configuration.md.

route:
  receiver: default

receivers:
- name: default          # without integrations: kept and shown, nobody is told

)";

// Words as comment lines at this depth.
void AddComment(const std::string& indent, std::string_view text, std::string& out) {
  const std::string start = "# " + indent + "# ";
  std::string line = start;
  while (!text.empty()) {
    const size_t space = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, space);
    if (line.size() + word.size() + 1 > kWidth && line.size() > start.size()) {
      out += line + '\n';
      line = start;
    }
    line += (line.size() > start.size() ? " " : "") + std::string(word);
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  if (line.size() > start.size()) {
    out += line + '\n';
  }
}

// The default as YAML. What starts with a sign of YAML's is quoted.
std::string ValueOf(const KeyRow& row, size_t n) {
  const std::string value = DefaultOf(row, n);
  const bool plain =
      value.empty() || (value.find_first_of("#:%@&!|>'\"`") == std::string::npos && value != ",");
  const bool url = value.starts_with("http");
  return plain || url || value.starts_with("[") ? value : "'" + value + "'";
}

void AddSection(const KeySection& section, const std::string& indent, bool in_list, std::string& out);

void AddRow(const KeySection& section, const KeyRow& row, const std::string& indent, const std::string& first,
            std::string& out) {
  std::string about = row.type;
  if (!row.fallback.empty()) {
    about += (about.empty() ? "default " : "; default ") + row.fallback;
  }
  if (row.fallback.starts_with("required") || row.fallback.starts_with("one of")) {
    about = row.type + "; " + row.fallback;
  }
  if (!row.meaning.empty()) {
    about += (about.empty() ? "" : ". ") + PlainMeaning(row.meaning);
  }
  AddComment(indent, about, out);
  bool leads = true;
  for (size_t n = 0; n < row.keys.size(); ++n) {
    const std::string& key = row.keys[n];
    const std::string place = section.path.empty() ? key : section.path + "." + key;
    // http_config is written out once, in `global`.
    const bool shared = key == "http_config";
    const KeySection* map = FindKeySection(shared && section.path == "global" ? "http_config" : place);
    const KeySection* list = FindKeySection(place + "[]");
    const KeySection* each = FindKeySection(place + ".<name>");
    const std::string value = ValueOf(row, n);
    out += "# " + (leads ? first : indent) + key + ":" + (value.empty() ? "" : " " + value) + '\n';
    leads = false;
    if (map != nullptr) {
      AddSection(*map, indent + "  ", false, out);
    } else if (list != nullptr) {
      AddSection(*list, indent + "  ", true, out);
    } else if (each != nullptr) {
      out += "# " + indent + "  NAME:\n";
      AddSection(*each, indent + "    ", false, out);
    }
  }
}

void AddSection(const KeySection& section, const std::string& indent, bool in_list, std::string& out) {
  bool leads = in_list;
  for (const KeyRow& row : section.rows) {
    if (row.meaning.starts_with("refused")) {
      continue;
    }
    AddRow(section, row, indent, leads ? indent.substr(2) + "- " : indent, out);
    leads = false;
  }
}

}  // namespace

std::string ConfigSample() {
  std::string out(kHead);
  if (const KeySection* root = FindKeySection("")) {
    AddSection(*root, "", false, out);
  }
  return out;
}

}  // namespace mlalert
