// The fast decoder beside a slow one that builds a tree and reads it in the obvious way: on random documents,
// whole and damaged, both take the same alerts or both refuse.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <optional>
#include <random>
#include <regex>
#include <string>

#include "base/json.h"
#include "intake/alert_decoder.h"
#include "intake/go_json.h"
#include "model/label_set.h"

namespace mlalert {
namespace {

using namespace std::chrono_literals;

const Timestamp kNow = FromUnixMillis(1767225600000);

using Map = std::map<std::string, std::string>;

struct PlainAlert {
  Map labels, annotations;
  std::string generator_url;
  Timestamp starts_at = kUnset, ends_at = kUnset;
  bool timeout = false;
};

struct PlainResult {
  int status = 200;
  std::vector<PlainAlert> alerts;
  size_t errors = 0;
};

// nullopt: not an object of strings (or null).
std::optional<Map> PlainMap(const Json* json, bool drop_empty) {
  Map map;
  if (json == nullptr || json->is_null()) {
    return map;
  }
  if (!json->is_object()) {
    return std::nullopt;
  }
  for (const auto& [key, value] : json->AsObject()) {
    if (!value.is_string() && !value.is_null()) {
      return std::nullopt;
    }
    map[key] = value.AsString();
  }
  if (drop_empty) {
    std::erase_if(map, [](const auto& label) { return label.second.empty(); });
  }
  return map;
}

bool PlainTime(const Json* json, Timestamp& time) {
  if (json == nullptr || json->is_null()) {
    return true;
  }
  if (!json->is_string()) {
    return false;
  }
  if (json->AsString().empty()) {
    time = Timestamp{};
    return true;
  }
  auto parsed = ParseRfc3339(json->AsString());
  if (parsed) {
    time = *parsed;
  }
  return parsed.has_value();
}

bool PlainRead(const Json& in, PlainAlert& alert) {
  auto labels = PlainMap(in.Find("labels"), true);
  auto annotations = PlainMap(in.Find("annotations"), false);
  const Json* url = in.Find("generatorURL");
  if (!labels || !annotations || !PlainTime(in.Find("startsAt"), alert.starts_at) ||
      !PlainTime(in.Find("endsAt"), alert.ends_at) ||
      (url != nullptr && !url->is_string() && !url->is_null())) {
    return false;
  }
  alert.labels = *labels;
  alert.annotations = *annotations;
  alert.generator_url = url != nullptr ? url->AsString() : "";
  return true;
}

bool PlainFinish(PlainAlert& alert) {
  if (!IsSet(alert.starts_at)) {
    alert.starts_at = IsSet(alert.ends_at) ? alert.ends_at : kNow;
  }
  if (!IsSet(alert.ends_at)) {
    alert.ends_at = kNow + 5min;
    alert.timeout = true;
  }
  return alert.ends_at >= alert.starts_at && !alert.labels.empty() && alert.labels.count("") == 0 &&
         alert.annotations.count("") == 0;
}

PlainResult PlainDecode(const std::string& body) {
  PlainResult result;
  if (body.empty()) {
    result.status = 422;
    return result;
  }
  if (GoJsonSyntaxError(body)) {
    result.status = 400;
    return result;
  }
  auto json = ParseJson(AsGoReads(body), {.depth_max = 36});
  if (!json || (!json->is_array() && !json->is_null())) {
    result.status = 400;
    return result;
  }
  bool schema_ok = true;
  for (const Json& in : json->AsArray()) {
    PlainAlert alert;
    if ((!in.is_object() && !in.is_null()) || !PlainRead(in, alert)) {
      result.status = 400;
      result.alerts.clear();
      return result;
    }
    const Json* labels = in.Find("labels");
    static const std::regex kUri("[A-Za-z][A-Za-z0-9+.-]*:[^ ]+");
    bool printable = std::all_of(alert.generator_url.begin(), alert.generator_url.end(),
                                 [](unsigned char c) { return c >= ' ' && c != 0x7f; });
    bool uri = alert.generator_url.empty() || (printable && std::regex_match(alert.generator_url, kUri));
    schema_ok = schema_ok && uri && labels != nullptr && !labels->is_null();
    if (PlainFinish(alert)) {
      result.alerts.push_back(alert);
    } else {
      ++result.errors;
    }
  }
  if (!schema_ok) {
    return {422, {}, 0};
  }
  return result;
}

// Random documents: mostly sound, with every kind of oddity now and then.
class Writer {
 public:
  explicit Writer(unsigned seed) : random_(seed) {}

  size_t Below(size_t n) { return random_() % n; }
  bool OneIn(size_t n) { return Below(n) == 0; }
  template <size_t N>
  std::string Pick(const char* const (&list)[N]) {
    return list[Below(N)];
  }

  std::string Document() {
    if (OneIn(40)) {
      return Pick({"null", "{}", "1", "\"x\"", "true", ""});
    }
    std::string out = "[";
    for (size_t i = 0, n = Below(4); i < n; ++i) {
      out += (i > 0 ? "," : "") + Space() + (OneIn(60) ? Pick({"null", "1", "[]", "\"a\""}) : Alert());
    }
    out += Space() + "]";
    return OneIn(12) ? Damage(out) : out;
  }

 private:
  std::string Space() { return OneIn(5) ? Pick({" ", "\n", "\t ", "\r\n"}) : ""; }
  std::string Text() {
    return "\"" +
           Pick({"", "a", "alertname", "x y", "\\n\\t", "\\u00e4", "\xF0\x9F\x98\x80", "\xC3\xA4",
                 "\\\"\\\\\\/"}) +
           "\"";
  }
  std::string Value() { return OneIn(15) ? "null" : Text(); }
  std::string Object() {
    if (OneIn(60)) {
      return Pick({"[]", "\"x\"", "3", "false"});
    }
    if (OneIn(30)) {
      return "null";
    }
    std::string out = "{";
    for (size_t i = 0, n = Below(5); i < n; ++i) {
      out += (i > 0 ? "," : "") + Space() + (OneIn(30) ? "\"\"" : Text()) + Space() + ":" + Value();
    }
    if (OneIn(80)) {
      // Under a key of its own: which of two equal keys is of the wrong type, a tree cannot tell.
      out += (out.size() > 1 ? ",\"odd\":" : "\"odd\":") +
             Pick({"1", "-2.5e3", "true", "{}", "[]", "[{\"labels\":{}}]"});
    }
    return out + "}";
  }
  std::string Time() {
    return Pick({"\"2026-01-01T00:00:00Z\"", "\"2026-01-01T02:00:00.5+02:00\"", "\"2025-12-31T23:00:00Z\"",
                 "\"2027-01-01\"", "\"\"", "null", "\"2026-01-01T00:00:00Z\"", "\"0001-01-01T00:00:00Z\"",
                 "\"noon\""});
  }
  std::string Alert() {
    std::string out = "{";
    bool first = true;
    auto member = [&](const std::string& key, const std::string& value) {
      out += (first ? "" : ",") + Space() + "\"" + key + "\"" + Space() + ":" + Space() + value;
      first = false;
    };
    if (OneIn(4)) {
      member("extra", OneIn(2) ? Object() : "[[{\"labels\":[1]}],null,1.5]");
    }
    if (!OneIn(50)) {
      member("labels", Object());
    }
    if (OneIn(2)) {
      member("annotations", Object());
    }
    if (OneIn(2)) {
      member("startsAt", Time());
    }
    if (OneIn(2)) {
      member("endsAt", Time());
    }
    if (OneIn(3)) {
      member("generatorURL",
             Pick({"\"http://p/\"", "\"\"", "null", "\"http://p/?a=b&c\"", OneIn(9) ? "\"foo\"" : "null"}));
    }
    return out + "}";
  }
  std::string Damage(std::string text) {
    if (text.empty()) {
      return text;
    }
    size_t at = Below(text.size());
    switch (Below(4)) {
      case 0:
        return text.substr(0, at);
      case 1:
        text[at] = static_cast<char>(Below(256));
        return text;
      case 2:
        return text.erase(at, 1);
      default:
        return text.insert(at, 1, "[]{}\":,\\"[Below(8)]);
    }
  }

  std::mt19937 random_;
};

Map ToMap(std::span<const Label> labels) {
  Map map;
  for (const Label& label : labels) {
    map.emplace(label.name, label.value);
  }
  return map;
}

// Empty when both agree.
std::string Compare(const PlainResult& slow, bool ok, const IngestBatch& batch,
                    const DecodeFailure& failure) {
  int status = ok ? 200 : failure.http_status;
  if (status != slow.status) {
    return "status " + std::to_string(status) + ", slow decoder " + std::to_string(slow.status) + " " +
           failure.message;
  }
  if (batch.alerts.size() != slow.alerts.size() || (ok && batch.errors.size() != slow.errors)) {
    return "counts differ";
  }
  for (size_t i = 0; i < slow.alerts.size(); ++i) {
    const DecodedAlert& a = batch.alerts[i];
    const PlainAlert& b = slow.alerts[i];
    if (ToMap(a.labels) != b.labels || a.labels.size() != b.labels.size() ||
        ToMap(a.annotations) != b.annotations || a.generator_url != b.generator_url ||
        a.starts_at != b.starts_at || a.ends_at != b.ends_at || a.timeout != b.timeout) {
      return "alert " + std::to_string(i) + " differs";
    }
    if (a.fingerprint != LabelSet::FromSorted(a.labels).fingerprint()) {
      return "fingerprint of alert " + std::to_string(i);
    }
  }
  return "";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(decode_alerts_property)

BOOST_AUTO_TEST_CASE(agrees_with_a_slow_decoder) {
  IngestBatch batch;
  size_t taken = 0;
  size_t refused = 0;
  for (unsigned seed = 0; seed < 30'000; ++seed) {
    std::string body = Writer(seed).Document();
    PlainResult slow = PlainDecode(body);
    std::string in_place = body;
    DecodeFailure failure;
    bool ok = DecodeAlerts(in_place, {kNow, 5min, AlertSource::kApi}, batch, failure);
    std::string difference = Compare(slow, ok, batch, failure);
    ++(ok ? taken : refused);
    if (!difference.empty()) {
      BOOST_ERROR("seed " << seed << ": " << difference << "\n" << Json(body).Dump());
      break;
    }
  }
  // The generator must exercise both ways out.
  BOOST_TEST(taken > 15'000u);
  BOOST_TEST(refused > 2'000u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
