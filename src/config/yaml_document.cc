#include "config/yaml_document.h"

#include <fmt/format.h>
#include <sstream>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "base/json.h"
#include "config/secret_keys.h"
#include "config/yaml_tree_builder.h"

namespace mlalert {
namespace {

void ReportText(SourceText& source, Diagnostics& out, TextPos pos, std::string message,
                std::string hint = {}) {
  Diagnostic diagnostic;
  diagnostic.message = std::move(message);
  diagnostic.hint = std::move(hint);
  source.Locate(pos, diagnostic);
  if (LooksLikeSecretLine(diagnostic.source_line)) {
    diagnostic.source_line.clear();  // a broken line cannot be trusted to be hidden in the right places
    diagnostic.caret = 0;
  }
  out.Add(std::move(diagnostic));
}

// yaml-cpp 0.7 takes a quoted scalar that is never closed for complete when the file ends with a line break;
// a document end inside the quotes it refuses. Guarded by parse_yaml/syntax_errors_have_a_place.
std::string Terminated(std::string_view text) {
  std::string out(text);
  if (out.ends_with('\n')) {
    out += "...\n";
  }
  return out;
}

// First line that holds bytes that are not UTF-8.
int FirstBadLine(const SourceText& source) {
  for (int line = 1; line <= source.line_count(); ++line) {
    if (!IsValidUtf8(source.Line(line))) {
      return line;
    }
  }
  return 0;
}

// YAML's c-printable: no control characters but tab and line breaks, none of U+0080 to U+009F but U+0085, and
// neither U+FFFE nor U+FFFF.
bool HasControl(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    const bool low = (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
    const bool high = c == 0xC2 && next < 0xA0 && next != 0x85;
    if (low || high || text.substr(i).starts_with("\xEF\xBF\xBE") ||
        text.substr(i).starts_with("\xEF\xBF\xBF")) {
      return true;
    }
  }
  return false;
}

// First line that holds control characters; 0: none does.
int FirstControlLine(const SourceText& source) {
  for (int line = 1; line <= source.line_count(); ++line) {
    if (HasControl(source.Line(line))) {
      return line;
    }
  }
  return 0;
}

// Learns where the next document begins, and reads no more of it.
class DocumentStartFinder final : public YAML::EventHandler {
 public:
  struct Found {
    YAML::Mark mark;
  };
  void OnDocumentStart(const YAML::Mark& mark) override { throw Found{mark}; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
  }
  void OnMapEnd() override {}
};

// What stands behind the first document: further documents are ignored with a warning, as by Prometheus and
// Alertmanager, and so is text that is indented less than the document. Beside the items of a list it is an
// error to everybody.
bool CheckBehindDocument(YAML::Parser& parser, const YamlNode* root, TextPos last, SourceText& source,
                         Diagnostics& out) {
  TextPos start;
  try {
    DocumentStartFinder finder;
    if (!parser.HandleNextDocument(finder)) {
      return true;
    }
  } catch (const DocumentStartFinder::Found& found) {
    start = ColumnCounter(source).Convert(found.mark);
  } catch (const YAML::Exception& error) {
    start = ColumnCounter(source).Convert(error.mark);
  }
  bool marked = false;
  for (int line = last.line + 1; line <= start.line && !marked; ++line) {
    marked = source.Line(line).starts_with("---") || source.Line(line).starts_with("...");
  }
  if (!marked && root != nullptr && root->kind == YamlNode::Kind::kSequence &&
      root->pos.column == start.column) {
    ReportText(source, out, start, "yaml: did not find expected '-' indicator");
    return false;
  }
  Diagnostic diagnostic;
  diagnostic.level = DiagnosticLevel::kWarning;
  diagnostic.message = marked ? "the file has more than one YAML document; only the first is read"
                              : "from here on the file does not belong to what stands above; it is ignored";
  diagnostic.hint = marked ? "" : "is this line indented as the ones above it?";
  diagnostic.where = {source.file(), start.line, start.column};
  out.Add(std::move(diagnostic));
  return true;
}

}  // namespace

YamlNodePtr ParseYaml(std::string_view text, SourceText& source, Diagnostics& out,
                      const YamlOptions& options) {
  if (text.size() > kYamlBytesMax) {
    ReportText(source, out, {}, fmt::format("the file is larger than {} bytes", kYamlBytesMax));
    return nullptr;
  }
  if (!IsValidUtf8(text)) {
    Diagnostic diagnostic;  // without the line, which would put the bad bytes into our output
    diagnostic.where = {source.file(), FirstBadLine(source), 0};
    diagnostic.message = "yaml: invalid UTF-8";
    out.Add(std::move(diagnostic));
    return nullptr;
  }
  if (const int line = FirstControlLine(source); line > 0) {
    Diagnostic diagnostic;  // without the line, as above
    diagnostic.where = {source.file(), line, 0};
    diagnostic.message = "yaml: control characters are not allowed";
    out.Add(std::move(diagnostic));
    return nullptr;
  }
  std::istringstream stream(Terminated(text));
  TreeBuilder builder(source, out, options);
  auto fail = [&](TextPos pos, const std::string& message) {
    builder.EndHiding();
    builder.FlushReports();
    ReportText(source, out, pos, message);
    return nullptr;
  };
  try {
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    builder.EndHiding();
    builder.FlushReports();
    YamlNodePtr root = builder.TakeRoot();
    if (!CheckBehindDocument(parser, root.get(), builder.last_pos(), source, out)) {
      return nullptr;
    }
    return root != nullptr ? root : std::make_shared<YamlNode>();
  } catch (const YamlLimit& limit) {
    return fail(limit.pos, "yaml: " + limit.message);
  } catch (const YAML::Exception& error) {
    TextPos pos = error.mark.is_null() ? builder.last_pos() : ColumnCounter(source).Convert(error.mark);
    return fail(pos, fmt::format("yaml: {}", error.msg));
  } catch (const std::exception& error) {
    return fail(builder.last_pos(), fmt::format("yaml: {}", error.what()));
  }
}

}  // namespace mlalert
