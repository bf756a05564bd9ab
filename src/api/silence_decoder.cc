#include "api/silence_decoder.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <utility>
#include <vector>

#include "base/json_equal_keys.h"
#include "intake/go_json.h"

namespace mlalert {
namespace {

std::string_view GoType(const Json& json) {
  return json.is_bool()     ? "bool"
         : json.is_number() ? "number"
         : json.is_string() ? "string"
         : json.is_array()  ? "array"
                            : "object";
}

// As Go finds it: any case, the last one wins; null counts as absent.
const Json* Field(const Json& object, std::string_view key) {
  const Json* found = nullptr;
  for (const auto& [name, value] : object.AsObject()) {
    if (GoSameKey(key, name)) {
      found = value.is_null() ? nullptr : &value;
    }
  }
  return found;
}

class Decoder {
 public:
  Decoder(SilenceRequest& out, SilenceDecodeFailure& failure) : out_(out), failure_(failure) {}

  bool Decode(std::string_view body) {
    if (IsBlankJson(body)) {
      return Invalid(602, "silence in body is required");
    }
    if (auto why = GoJsonSyntaxError(body)) {
      return Malformed(*why);
    }
    auto json = ParseJsonWithEqualKeys(AsGoReads(body));
    if (!json) {
      return Malformed(json.error().ToString());
    }
    if (!json->is_object() && !json->is_null()) {
      return Malformed(
          fmt::format("json: cannot unmarshal {} into Go value of type struct {{ ID string "
                      "\"json:\\\"id,omitempty\\\"\" }}",
                      GoType(*json)));
    }
    return ReadTypes(*json) && CheckRequired();
  }

 private:
  // The model is made of two parts, decoded one after the other. A wrong type is told when a part has been
  // read, a time that is none at once.
  bool ReadTypes(const Json& json) {
    for (const auto& [name, value] : json.AsObject()) {
      if (GoSameKey("id", name) && !value.is_null()) {
        Text(value, ".id", out_.id);
      }
    }
    if (wrong_type_) {
      return Malformed(*wrong_type_);
    }
    for (const auto& [name, value] : json.AsObject()) {
      if (!Member(name, value)) {
        return false;
      }
    }
    return !wrong_type_ || Malformed(*wrong_type_);
  }

  bool Member(std::string_view name, const Json& value) {
    for (auto [key, text] : {std::pair("comment", &comment_), std::pair("createdBy", &created_by_)}) {
      if (GoSameKey(key, name)) {
        text->reset();
        if (!value.is_null()) {
          Text(value, fmt::format("Silence.{}", key), *text);
        }
        return true;
      }
    }
    for (auto [key, time] : {std::pair("startsAt", &starts_at_), std::pair("endsAt", &ends_at_)}) {
      if (GoSameKey(key, name)) {
        return Time(value, key, *time);
      }
    }
    if (GoSameKey("annotations", name)) {
      return Annotations(value);
    }
    return !GoSameKey("matchers", name) || ReadMatchers(value);
  }

  bool CheckRequired() {
    auto required = [&](bool there, std::string_view what) {
      return there || Invalid(602, fmt::format("{} in body is required", what));
    };
    if (!required(comment_.has_value(), "comment") || !required(created_by_.has_value(), "createdBy") ||
        !required(ends_at_.has_value(), "endsAt") || !required(matchers_ != nullptr, "matchers")) {
      return false;
    }
    if (matchers_->AsArray().empty()) {
      return Invalid(612, "matchers in body should have at least 1 items");
    }
    for (size_t i = 0; i < matchers_->AsArray().size(); ++i) {
      const Json& one = matchers_->AsArray()[i];
      for (std::string_view key : {"isRegex", "name", "value"}) {
        if (Field(one, key) == nullptr) {
          return Invalid(602, fmt::format("matchers.{}.{} in body is required", i, key));
        }
      }
      AddMatcher(one);
    }
    if (!required(starts_at_.has_value(), "startsAt")) {
      return false;
    }
    out_.comment = std::move(*comment_);
    out_.created_by = std::move(*created_by_);
    out_.starts_at = *starts_at_;
    out_.ends_at = *ends_at_;
    return true;
  }

  void AddMatcher(const Json& json) {
    const Json* is_equal = Field(json, "isEqual");
    bool equal = is_equal == nullptr || is_equal->AsBool();
    MatchOp op = Field(json, "isRegex")->AsBool() ? (equal ? MatchOp::kRegex : MatchOp::kNotRegex)
                                                  : (equal ? MatchOp::kEqual : MatchOp::kNotEqual);
    out_.matchers.push_back({Field(json, "name")->AsString(), op, Field(json, "value")->AsString()});
  }

  bool ReadMatchers(const Json& value) {
    matchers_ = nullptr;
    if (value.is_null()) {
      return true;
    }
    if (!value.is_array()) {
      WrongType(value, "Silence.matchers", "models.Matchers");
      return true;
    }
    matchers_ = &value;
    if (value.AsArray().size() > kSilenceMatchersMax) {
      return Malformed(fmt::format("a silence has more than {} matchers", kSilenceMatchersMax));
    }
    for (const Json& one : value.AsArray()) {
      if (!one.is_object() && !one.is_null()) {
        WrongType(one, "Silence.matchers", "models.Matcher");
      }
      for (const auto& [name, field] : one.AsObject()) {
        for (std::string_view key : {"isEqual", "isRegex", "name", "value"}) {
          const bool flag = key.starts_with("is");
          if (GoSameKey(key, name) && !field.is_null() && !(flag ? field.is_bool() : field.is_string())) {
            WrongType(field, fmt::format("Matcher.matchers.{}", key), flag ? "bool" : "string");
          }
        }
      }
    }
    return true;
  }

  template <class T>
  void Text(const Json& value, std::string_view field, T& out) {
    if (value.is_string()) {
      out = value.AsString();
    } else {
      WrongType(value, field, "string");
    }
  }

  bool Time(const Json& value, std::string_view key, std::optional<Timestamp>& out) {
    out.reset();
    if (value.is_null()) {
      return true;
    }
    if (!value.is_string()) {
      return Malformed(WrongTypeText(value, fmt::format("Silence.{}", key), "string"));
    }
    const std::string& text = value.AsString();
    if (text.empty()) {
      out = Timestamp{};  // upstream reads "" as the epoch
      return true;
    }
    auto time = ParseApiTime(text);
    if (!time) {
      return Malformed(GoDateTimeError(text));
    }
    out = *time;
    return true;
  }

  bool Annotations(const Json& value) {
    if (value.is_null()) {
      out_.annotations = {};
      return true;
    }
    if (!value.is_object()) {
      WrongType(value, "Silence.annotations", "models.LabelSet");
      return true;
    }
    if (value.AsObject().size() > kSilenceAnnotationsMax) {
      return Malformed(fmt::format("a silence has more than {} annotations", kSilenceAnnotationsMax));
    }
    std::vector<std::pair<std::string, std::string>> annotations;
    annotations.reserve(value.AsObject().size());
    for (const auto& [name, text] : value.AsObject()) {
      if (!text.is_string() && !text.is_null()) {
        WrongType(text, fmt::format("Silence.annotations.{}", name), "string");
      }
      annotations.emplace_back(name, text.AsString());
    }
    out_.annotations = LabelSet::From(std::move(annotations));
    return true;
  }

  static std::string WrongTypeText(const Json& got, std::string_view field, std::string_view type) {
    return fmt::format("json: cannot unmarshal {} into Go struct field {} of type {}", GoType(got), field,
                       type);
  }
  // The first one counts.
  void WrongType(const Json& got, std::string_view field, std::string_view type) {
    if (!wrong_type_) {
      wrong_type_ = WrongTypeText(got, field, type);
    }
  }
  bool Malformed(std::string_view why) {
    failure_ = {400, 400, fmt::format("parsing silence body from \"\" failed, because {}", why)};
    return false;
  }
  bool Invalid(int code, std::string message) {
    failure_ = {422, code, std::move(message)};
    return false;
  }

  SilenceRequest& out_;
  SilenceDecodeFailure& failure_;
  std::optional<std::string> wrong_type_;
  std::optional<std::string> comment_, created_by_;
  std::optional<Timestamp> starts_at_, ends_at_;
  const Json* matchers_ = nullptr;
};

}  // namespace

bool DecodeSilence(std::string_view body, SilenceRequest& out, SilenceDecodeFailure& failure) {
  out = {};
  return Decoder(out, failure).Decode(body);
}

bool IsUuid(std::string_view text) {
  static constexpr size_t kGroups[] = {8, 4, 4, 4, 12};
  for (size_t i = 0; i < 5; ++i) {
    if (i > 0 && text.starts_with('-')) {
      text.remove_prefix(1);
    }
    std::string_view group = text.substr(0, kGroups[i]);
    auto is_hex = [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    };
    if (group.size() != kGroups[i] || !std::all_of(group.begin(), group.end(), is_hex)) {
      return false;
    }
    text.remove_prefix(kGroups[i]);
  }
  return text.empty();
}

}  // namespace mlalert
