#include "api/silence_decoder.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

#include "base/json.h"
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

bool SameKey(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

// As Go finds it: any case, the last one wins; null counts as absent.
const Json* Field(const Json& object, std::string_view key) {
  const Json* found = nullptr;
  for (const auto& [name, value] : object.AsObject()) {
    if (SameKey(name, key) && !value.is_null()) {
      found = &value;
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
    auto json = ParseJson(body);
    if (!json) {
      return Malformed(GoJsonSyntaxError(body).value_or(json.error().ToString()));
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
  bool ReadTypes(const Json& json) {
    return Text(json, "id", "", out_.id) && Text(json, "comment", "Silence", comment_) &&
           Text(json, "createdBy", "Silence", created_by_) && Time(json, "startsAt", starts_at_) &&
           Time(json, "endsAt", ends_at_) && Annotations(json) && ReadMatchers(json);
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

  bool ReadMatchers(const Json& json) {
    matchers_ = Field(json, "matchers");
    if (matchers_ == nullptr) {
      return true;
    }
    if (!matchers_->is_array()) {
      return WrongType(*matchers_, "Silence.matchers", "models.Matchers");
    }
    if (matchers_->AsArray().size() > kSilenceMatchersMax) {
      return Malformed(fmt::format("a silence has more than {} matchers", kSilenceMatchersMax));
    }
    for (const Json& one : matchers_->AsArray()) {
      if (!one.is_object() && !one.is_null()) {
        return WrongType(one, "Silence.matchers", "models.Matcher");
      }
      for (std::string_view key : {"isEqual", "isRegex", "name", "value"}) {
        const Json* value = Field(one, key);
        bool flag = key.starts_with("is");
        if (value != nullptr && !(flag ? value->is_bool() : value->is_string())) {
          return WrongType(*value, fmt::format("Matcher.matchers.{}", key), flag ? "bool" : "string");
        }
      }
    }
    return true;
  }

  template <class T>
  bool Text(const Json& json, std::string_view key, std::string_view go_struct, T& out) {
    const Json* value = Field(json, key);
    if (value == nullptr) {
      return true;
    }
    if (!value->is_string()) {
      return WrongType(*value, fmt::format("{}.{}", go_struct, key), "string");
    }
    out = value->AsString();
    return true;
  }

  bool Time(const Json& json, std::string_view key, std::optional<Timestamp>& out) {
    std::optional<std::string> text;
    if (!Text(json, key, "Silence", text) || !text) {
      return !failed_;
    }
    if (text->empty()) {
      out = Timestamp{};  // upstream reads "" as the epoch
      return true;
    }
    auto time = ParseApiTime(*text);
    if (!time) {
      return Malformed(GoDateTimeError(*text));
    }
    out = *time;
    return true;
  }

  bool Annotations(const Json& json) {
    const Json* value = Field(json, "annotations");
    if (value == nullptr) {
      return true;
    }
    if (!value->is_object()) {
      return WrongType(*value, "Silence.annotations", "models.LabelSet");
    }
    if (value->AsObject().size() > kSilenceAnnotationsMax) {
      return Malformed(fmt::format("a silence has more than {} annotations", kSilenceAnnotationsMax));
    }
    std::vector<std::pair<std::string, std::string>> annotations;
    for (const auto& [name, text] : value->AsObject()) {
      if (!text.is_string() && !text.is_null()) {
        return WrongType(text, fmt::format("Silence.annotations.{}", name), "string");
      }
      annotations.emplace_back(name, text.AsString());
    }
    out_.annotations = LabelSet::From(std::move(annotations));
    return true;
  }

  bool WrongType(const Json& got, std::string_view field, std::string_view type) {
    return Malformed(fmt::format("json: cannot unmarshal {} into Go struct field {} of type {}", GoType(got),
                                 field, type));
  }
  bool Malformed(std::string_view why) {
    failed_ = true;
    failure_ = {400, 400, fmt::format("parsing silence body from \"\" failed, because {}", why)};
    return false;
  }
  bool Invalid(int code, std::string message) {
    failed_ = true;
    failure_ = {422, code, std::move(message)};
    return false;
  }

  SilenceRequest& out_;
  SilenceDecodeFailure& failure_;
  bool failed_ = false;
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
