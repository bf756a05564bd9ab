#include "config/yaml_json.h"

namespace mlalert {
namespace {

bool IsTextKey(const YamlNode::Entry& entry) {
  bool flag = false;
  int64_t whole = 0;
  double real = 0;
  bool null = entry.key == "null" || entry.key == "~" || entry.key == "Null" || entry.key == "NULL" ||
              entry.key.empty();
  return !entry.plain || !(null || ParseYamlBool(entry.key, flag) || ParseYamlInt(entry.key, whole) ||
                           ParseYamlFloat(entry.key, real));
}

Json Scalar(const YamlNode& node) {
  bool flag = false;
  int64_t whole = 0;
  double real = 0;
  if (!node.plain) {
    return Json(node.text);
  }
  if (ParseYamlBool(node.text, flag)) {
    return Json(flag);
  }
  if (ParseYamlInt(node.text, whole)) {
    return Json(whole);
  }
  if (ParseYamlFloat(node.text, real)) {
    return Json(real);
  }
  return Json(node.text);
}

}  // namespace

// Depth is limited by the reader of the text (kYamlDepthMax).
Json YamlToJson(const YamlNode& node) {  // NOLINT(misc-no-recursion)
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return {};
    case YamlNode::Kind::kScalar:
      return Scalar(node);
    case YamlNode::Kind::kSequence: {
      Json out = Json::MakeArray();
      for (const auto& item : node.items) {
        out.Push(YamlToJson(*item));
      }
      return out;
    }
    case YamlNode::Kind::kMap:
      break;
  }
  Json::Object out;
  for (const auto& entry : node.entries) {
    if (IsTextKey(entry)) {
      out.emplace_back(entry.key, YamlToJson(*entry.value));
    }
  }
  return Json(std::move(out));
}

}  // namespace mlalert
