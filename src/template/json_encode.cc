#include "template/json_encode.h"

#include <cmath>
#include <fmt/format.h>

#include "base/json.h"
#include "template/go_time.h"

namespace mlalert::tmpl {

bool AppendJsonValue(std::string& out, const Value& v, size_t limit) {
  if (out.size() > limit) {
    return false;
  }
  switch (v.kind()) {
    case Kind::kNil:
      out += "null";
      return true;
    case Kind::kBool:
      out += v.AsBool() ? "true" : "false";
      return true;
    case Kind::kInt:
      out += v.AsInt().IsUnsigned() ? fmt::format("{}", v.AsInt().AsUnsigned())
                                    : fmt::format("{}", v.AsInt().bits);
      return true;
    case Kind::kFloat:
      if (!std::isfinite(v.AsFloat())) {
        return false;
      }
      AppendJsonNumber(out, v.AsFloat());
      return true;
    case Kind::kString:
      AppendJsonString(out, v.AsString());
      return true;
    case Kind::kTime:
      AppendJsonString(out, FormatLayout(v.AsTime(), kRfc3339NanoLayout));
      return true;
    case Kind::kDuration:
      out += fmt::format("{}", v.AsDuration().count());
      return true;
    case Kind::kObject:
      return v.AsObject().AppendJson(out);
    case Kind::kList:
      out.push_back('[');
      for (size_t i = 0; i < v.Size(); ++i) {
        if (i > 0) {
          out.push_back(',');
        }
        if (!AppendJsonValue(out, v.Item(i), limit)) {
          return false;
        }
      }
      out.push_back(']');
      return true;
    case Kind::kMap:
      out.push_back('{');
      for (size_t i = 0; i < v.Size(); ++i) {
        if (i > 0) {
          out.push_back(',');
        }
        AppendJsonString(out, v.KeyAt(i));
        out.push_back(':');
        if (!AppendJsonValue(out, v.ValueAt(i), limit)) {
          return false;
        }
      }
      out.push_back('}');
      return true;
  }
  return false;
}

}  // namespace mlalert::tmpl
