// Trees of the config whose strings are templates.
#include <map>

#include "base/json.h"
#include "notify/json_object.h"
#include "notify/payload.h"

namespace mlalert {
namespace {

void AppendRendered(std::string& out, const Json& tree, Renderer& render) {
  if (tree.is_string()) {
    out += RetypeAsJson(render(tree.AsString()));
  } else if (tree.is_array()) {
    out.push_back('[');
    const char* separator = "";
    for (const Json& item : tree.AsArray()) {
      out += separator;
      AppendRendered(out, item, render);
      separator = ",";
    }
    out.push_back(']');
  } else if (tree.is_object()) {
    // Keys may become equal by rendering: the last one in the file wins.
    std::map<std::string, const Json*> fields;
    for (const auto& [key, value] : tree.AsObject()) {
      fields[render(key)] = &value;
    }
    JsonObject object(out);
    for (const auto& [key, value] : fields) {
      AppendRendered(object.Key(key), *value, render);
    }
    object.End();
  } else {
    out += tree.Dump();
  }
}

}  // namespace

std::string RenderTree(const Json& tree, Renderer& render) {
  std::string out;
  AppendRendered(out, tree, render);
  return out;
}

}  // namespace mlalert
