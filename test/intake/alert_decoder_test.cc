#include "intake/alert_decoder.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "base/json.h"

namespace mlalert {
namespace {

using namespace std::chrono_literals;

const Timestamp kNow = FromUnixMillis(1767225600000);  // 2026-01-01T00:00:00Z
const std::string kPrefix = "parsing alerts body from \"\" failed, because ";

struct Decoded {
  explicit Decoded(std::string text) : body(std::move(text)) {
    ok = DecodeAlerts(body, {kNow, 5min, AlertSource::kApi}, batch, failure);
  }
  // "a=1 b=2 | x=y" of one alert.
  std::string Labels(size_t i = 0) const {
    std::string out;
    for (const Label& label : batch.alerts.at(i).labels) {
      out.append(label.name).append("=").append(label.value).append(" ");
    }
    out += "|";
    for (const Label& label : batch.alerts.at(i).annotations) {
      out.append(" ").append(label.name).append("=").append(label.value);
    }
    return out;
  }
  std::string Failure() const {
    return ok ? ""
              : std::to_string(failure.http_status) + " " + std::to_string(failure.code) + " " +
                    failure.message;
  }

  std::string body;
  IngestBatch batch;
  DecodeFailure failure;
  bool ok = false;
};

std::string Wrap(const std::string& members) {
  return R"([{"labels":{"a":"b"},)" + members + "}]";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(decode_alerts)

BOOST_AUTO_TEST_CASE(reads_a_whole_alert) {
  Decoded d(
      R"( [ {"labels":{"severity":"P2","alertname":"Drift","gone":""},"annotations":{"summary":"x","empty":""},)"
      R"("startsAt":"2026-01-01T01:00:00.5+02:00","endsAt":"2026-01-01T01:00:00Z","generatorURL":"http://p/g?a=1"} ] )");
  BOOST_TEST(d.Failure() == "");
  BOOST_REQUIRE(d.batch.alerts.size() == 1u);
  BOOST_TEST(d.Labels() == "alertname=Drift severity=P2 | empty= summary=x");
  const DecodedAlert& alert = d.batch.alerts[0];
  BOOST_TEST((alert.starts_at == kNow - 1h + 500ms));
  BOOST_TEST(alert.starts_offset_minutes == 120);
  BOOST_TEST((alert.ends_at == kNow + 1h));
  BOOST_TEST(alert.ends_offset_minutes == 0);
  BOOST_TEST(alert.generator_url == "http://p/g?a=1");
  BOOST_TEST(!alert.timeout);
  BOOST_TEST(d.batch.received_firing == 1u);
}

BOOST_AUTO_TEST_CASE(nothing_is_a_list_too) {
  for (const char* body : {"null", "[]", " [ ] ", "\t\r\n[]\n"}) {
    BOOST_TEST_CONTEXT(body) {
      Decoded d(body);
      BOOST_TEST(d.Failure() == "");
      BOOST_TEST(d.batch.alerts.empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(times_as_alertmanager_takes_them) {
  struct {
    const char* text;
    Timestamp want;
    int offset;
  } const cases[] = {
      {"2026-01-01T00:00:00Z", kNow, 0},
      {"2026-01-01T00:00:00.000000001Z", kNow + 1ns, 0},
      {"2026-01-01T00:00:00", kNow, 0},
      {"2026-01-01T00:00", kNow, 0},
      {"2026-01-01", kNow, 0},
      {"2026-01-01 00:00:00", kNow, 0},
      {"2025-12-31T19:00:00-05:00", kNow, -300},
      // Empty is the epoch, not "not set".
      {"", Timestamp{}, 0},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.text) {
      Decoded d(Wrap(R"("startsAt":")" + std::string(c.text) + R"(","endsAt":"2027-01-01T00:00:00Z")"));
      BOOST_TEST(d.Failure() == "");
      BOOST_TEST((d.batch.alerts.at(0).starts_at == c.want));
      BOOST_TEST(d.batch.alerts.at(0).starts_offset_minutes == c.offset);
    }
  }
  Decoded null(Wrap(R"("startsAt":null,"endsAt":null)"));
  BOOST_TEST((null.batch.alerts.at(0).starts_at == kNow));
  BOOST_TEST(null.batch.alerts.at(0).timeout);
  // Go's zero time is "not set".
  Decoded zero(Wrap(R"("startsAt":"0001-01-01T00:00:00Z","endsAt":"0001-01-01T00:00:00Z")"));
  BOOST_TEST(zero.Failure() == "");
  BOOST_TEST((zero.batch.alerts.at(0).starts_at == kNow));
  BOOST_TEST((zero.batch.alerts.at(0).ends_at == kNow + 5min));
  BOOST_TEST(zero.batch.alerts.at(0).timeout);
}

BOOST_AUTO_TEST_CASE(bad_times_refuse_the_request) {
  for (const char* text : {"foo", "2026-01-01T00:00:00+0200", "1767225600", "2026-13-01T00:00:00Z", "0"}) {
    BOOST_TEST_CONTEXT(text) {
      Decoded d(Wrap(R"("startsAt":")" + std::string(text) + "\""));
      BOOST_TEST(d.failure.http_status == 400);
      BOOST_TEST(d.failure.message.find(kPrefix + "parsing time \"" + text + "\"") == 0u);
      BOOST_TEST(d.batch.alerts.empty());
    }
  }
  Decoded number(Wrap(R"("startsAt":1767225600)"));
  BOOST_TEST(number.failure.http_status == 400);
}

BOOST_AUTO_TEST_CASE(the_same_time_text_twice_and_then_another) {
  Decoded d(R"([{"labels":{"a":"1"},"startsAt":"2026-01-01T00:00:00Z","endsAt":"2026-01-01T00:00:00Z"},)"
            R"({"labels":{"a":"2"},"startsAt":"","endsAt":"2026-01-01T02:00:00+02:00"},)"
            R"({"labels":{"a":"3"},"startsAt":"2026-01-01T00:00:00Z","endsAt":"2026-01-01T03:00:00Z"}])");
  BOOST_REQUIRE(d.batch.alerts.size() == 3u);
  BOOST_TEST((d.batch.alerts[0].ends_at == kNow));
  BOOST_TEST((d.batch.alerts[1].starts_at == Timestamp{}));
  BOOST_TEST((d.batch.alerts[1].ends_at == kNow));
  BOOST_TEST(d.batch.alerts[1].ends_offset_minutes == 120);
  BOOST_TEST((d.batch.alerts[2].starts_at == kNow));
  BOOST_TEST(d.batch.alerts[2].starts_offset_minutes == 0);
}

BOOST_AUTO_TEST_CASE(refuses_what_is_not_a_list_of_alerts) {
  // The model is made of two parts; this is the nameless one.
  const std::string kAlertStruct =
      R"(struct { Annotations models.LabelSet "json:\"annotations,omitempty\""; )"
      R"(EndsAt strfmt.DateTime "json:\"endsAt,omitempty\""; )"
      R"(StartsAt strfmt.DateTime "json:\"startsAt,omitempty\"" })";
  struct {
    const char* body;
    std::string failure;
  } const cases[] = {
      {"", "422 602 alerts in body is required"},
      {"{}",
       "400 400 " + kPrefix + "json: cannot unmarshal object into Go value of type models.PostableAlerts"},
      {"1",
       "400 400 " + kPrefix + "json: cannot unmarshal number into Go value of type models.PostableAlerts"},
      {"\"x\"",
       "400 400 " + kPrefix + "json: cannot unmarshal string into Go value of type models.PostableAlerts"},
      {"true",
       "400 400 " + kPrefix + "json: cannot unmarshal bool into Go value of type models.PostableAlerts"},
      {"[1]", "400 400 " + kPrefix + "json: cannot unmarshal number into Go value of type " + kAlertStruct},
      {"[[]]", "400 400 " + kPrefix + "json: cannot unmarshal array into Go value of type " + kAlertStruct},
      {"[", "400 400 " + kPrefix + "unexpected EOF"},
      {"[{", "400 400 " + kPrefix + "unexpected EOF"},
      {R"([{"labels":{"a":"b")", "400 400 " + kPrefix + "unexpected EOF"},
      {R"([{"labels":{"a":"b)", "400 400 " + kPrefix + "unexpected EOF"},
      {"[null]", "422 602 0.labels in body is required"},
      {"[{}]", "422 602 0.labels in body is required"},
      {R"([{"labels":null}])", "422 602 0.labels in body is required"},
      {R"([{"labels":{"a":"b"}},{"annotations":{}}])", "422 602 1.labels in body is required"},
      {R"([{"labels":{"a":"b"},"generatorURL":"foo"}])",
       "422 601 0.generatorURL in body must be of type uri: \"foo\""},
      // The first violation of the first alert is told: generatorURL stands before labels.
      {R"([{"generatorURL":"a b"},{}])", "422 601 0.generatorURL in body must be of type uri: \"a b\""},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.body) {
      Decoded d(c.body);
      BOOST_TEST(!d.ok);
      BOOST_TEST(d.Failure() == c.failure);
      BOOST_TEST(d.batch.alerts.empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(wrong_types_anywhere_refuse_the_request) {
  for (const char* body :
       {R"([{"labels":{"a":1}}])", R"([{"labels":{"a":true}}])", R"([{"labels":{"a":{}}}])",
        R"([{"labels":{"a":["x"]}}])", R"([{"labels":[]}])", R"([{"labels":"x"}])", R"([{"labels":1}])",
        R"([{"labels":{"a":"b"},"annotations":{"x":1}}])", R"([{"labels":{"a":"b"},"annotations":[1]}])",
        R"([{"labels":{"a":"b"},"startsAt":{}}])", R"([{"labels":{"a":"b"},"endsAt":[]}])",
        R"([{"labels":{"a":"b"},"generatorURL":1}])", R"([{"labels":{"a":"b"},"generatorURL":{"x":"y"}}])"}) {
    BOOST_TEST_CONTEXT(body) {
      Decoded d(body);
      BOOST_TEST(d.failure.http_status == 400);
      BOOST_TEST(d.failure.message.find(kPrefix + "json: cannot unmarshal ") == 0u);
      BOOST_TEST(d.batch.alerts.empty());
      BOOST_TEST(d.batch.labels.empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(broken_json_refuses_the_request) {
  for (const char* body : {"[,]", "[{}{}]", "[{\"labels\"}]", "nul", "[{'labels':{}}]",
                           "[{\"labels\":{\"a\":\"\x01\"}}]", R"([{"labels":{"a":"\x"}}])",
                           R"([{"labels":{"a":"\u12"}}])", "[1e999]", "[01]", "[-]", "[{\"labels\":{},}]"}) {
    BOOST_TEST_CONTEXT(body) {
      Decoded d(body);
      BOOST_TEST(!d.ok);
      BOOST_TEST(d.failure.http_status == 400);
      BOOST_TEST(d.failure.message.find(kPrefix) == 0u);
    }
  }
}

BOOST_AUTO_TEST_CASE(unknown_fields_of_any_shape_are_skipped) {
  Decoded d(
      R"([{"x":1,"y":{"labels":{"evil":"1"},"z":[1,{"labels":[]},[[]]]},"labels":{"a":"b"},"status":{"state":"x"},)"
      R"("n":null,"t":true,"s":"str","f":1.5e3}])");
  BOOST_TEST(d.Failure() == "");
  BOOST_TEST(d.Labels() == "a=b |");
}

BOOST_AUTO_TEST_CASE(of_equal_keys_the_last_counts) {
  BOOST_TEST(Decoded(R"([{"labels":{"a":"1","b":"x","a":"2"}}])").Labels() == "a=2 b=x |");
  BOOST_TEST(Decoded(R"([{"labels":{"a":"1"},"labels":{"a":"2"}}])").Labels() == "a=2 |");
  Decoded times(Wrap(R"("startsAt":"2020-01-01T00:00:00Z","startsAt":"2021-01-01T00:00:00Z")"));
  BOOST_TEST((times.batch.alerts.at(0).starts_at == FromUnixMillis(1609459200000)));
}

BOOST_AUTO_TEST_CASE(null_labels_are_dropped_and_null_annotations_are_empty) {
  BOOST_TEST(Decoded(R"([{"labels":{"a":null,"b":"1"},"annotations":{"x":null}}])").Labels() == "b=1 | x=");
  BOOST_TEST(Decoded(R"([{"labels":{"a":"1"},"annotations":null}])").Labels() == "a=1 |");
}

BOOST_AUTO_TEST_CASE(unescapes_in_place) {
  BOOST_TEST(Decoded(R"([{"labels":{"a":"\"\\\/\b\f\n\r\t\u00e4\u20ac\ud83d\ude00"}}])").Labels() ==
             "a=\"\\/\b\f\n\r\t\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80 |");
  BOOST_TEST(Decoded(R"([{"labels":{"\u0061":"\u0062"}}])").Labels() == "a=b |");
  Decoded nul(R"([{"labels":{"a":"x\u0000y"}}])");
  BOOST_TEST(nul.batch.alerts.at(0).labels[0].value == std::string_view("x\0y", 3));
}

// All of this as Go's decoder does it; test/differential/json_test.py compares it with the real thing.
BOOST_AUTO_TEST_CASE(bytes_that_are_no_utf8_become_replacement_characters) {
  const std::string r = "\xEF\xBF\xBD";
  const struct {
    std::string bytes, want;
  } kTable[] = {{"\xff", r},
                {"\xc0\x80", r + r},
                {"\xed\xa0\x80", r + r + r},
                {"x\xe2\x82y", "x" + r + r + "y"},
                {"\xf4\x90\x80\x80", r + r + r + r},
                {"\xe2\x82\xac\xf0\x9f\x98\x80", "\xe2\x82\xac\xf0\x9f\x98\x80"}};
  for (const auto& row : kTable) {
    Decoded d(R"([{"labels":{"a":")" + row.bytes + R"("},"annotations":{"b)" + row.bytes + R"(":"c"}}])");
    BOOST_TEST(d.Failure() == "");
    BOOST_TEST(d.Labels() == "a=" + row.want + " | b" + row.want + "=c");
  }
  BOOST_TEST(Decoded("[\xff]").Failure() ==
             "400 400 " + kPrefix + "invalid character 'ÿ' looking for beginning of value");
}

BOOST_AUTO_TEST_CASE(halves_of_surrogate_pairs_become_replacement_characters) {
  const std::string r = "\xEF\xBF\xBD";
  const std::string smile = "\xF0\x9F\x98\x80";
  const struct {
    std::string escaped, want;
  } kTable[] = {{R"(\ud800)", r},
                {R"(\udc00)", r},
                {R"(\ud800x)", r + "x"},
                {R"(\ud800\ud800)", r + r},
                {R"(\ud800\ud83d\ude00)", r + smile},
                {R"(\ude00\ud83d)", r + r},
                {R"(\\ud800)", R"(\ud800)"},
                {R"(\\\ud800)", "\\" + r},
                {R"(\ud800\u0041)", r + "A"},
                {R"(\uD83D\uDE00)", smile}};
  for (const auto& row : kTable) {
    Decoded d(R"([{"labels":{"a":")" + row.escaped + R"("},"annotations":{")" + row.escaped + R"(":"c"}}])");
    BOOST_TEST(d.Failure() == "");
    BOOST_TEST(d.Labels() == "a=" + row.want + " | " + row.want + "=c");
  }
}

BOOST_AUTO_TEST_CASE(what_stands_behind_the_list_is_not_read) {
  for (const char* rest : {" x", "]", "[", "\x1b", "\xff", R"(\ud800)", "{\"labels\":1}"}) {
    Decoded d(R"([{"labels":{"a":"b"}}])" + std::string(rest));
    BOOST_TEST(d.Failure() == "");
    BOOST_TEST(d.Labels() == "a=b |");
  }
  BOOST_TEST(Decoded("nullx").Failure() == "");
}

BOOST_AUTO_TEST_CASE(keys_in_another_case_name_the_same_fields) {
  Decoded d(R"([{"Labels":{"A":"b"},"ANNOTATIONS":{"x":"y"},"startsat":"2025-01-01T00:00:00Z",)"
            R"("EndſAt":"2025-01-02T00:00:00Z","GENERATORURL":"http://x"}])");
  BOOST_TEST(d.Failure() == "");
  BOOST_TEST(d.Labels() == "A=b | x=y");
  BOOST_TEST((d.batch.alerts.at(0).ends_at == FromUnixMillis(1735776000000)));
  BOOST_TEST(d.batch.alerts[0].generator_url == "http://x");
  BOOST_TEST(Decoded(R"([{"Labels":1}])").Failure() ==
             "400 400 " + kPrefix +
                 "json: cannot unmarshal number into Go struct field Alert.labels of type models.LabelSet");
  BOOST_TEST(Decoded(R"([{"labelz":{"a":"b"}}])").Failure() == "422 602 0.labels in body is required");
}

BOOST_AUTO_TEST_CASE(a_map_that_is_there_twice_is_one_map_and_null_takes_it_away) {
  BOOST_TEST(Decoded(R"([{"labels":{"a":"1","b":"2"},"annotations":{"x":"y"},"Labels":{"b":"3","c":"4"}}])")
                 .Labels() == "a=1 b=3 c=4 | x=y");
  BOOST_TEST(Decoded(R"([{"labels":{"a":"1"},"labels":null}])").Failure() ==
             "422 602 0.labels in body is required");
  BOOST_TEST(Decoded(R"([{"labels":{"a":"1"},"annotations":{"x":"y"},"annotations":null}])").Labels() ==
             "a=1 |");
}

BOOST_AUTO_TEST_CASE(null_takes_a_url_away_and_leaves_a_time) {
  Decoded d(Wrap(
      R"("generatorURL":"http://x","generatorURL":null,"startsAt":"2021-01-01T00:00:00Z","startsAt":null)"));
  BOOST_TEST(d.batch.alerts.at(0).generator_url == "");
  BOOST_TEST((d.batch.alerts[0].starts_at == FromUnixMillis(1609459200000)));
}

BOOST_AUTO_TEST_CASE(numbers_of_unknown_fields_are_not_looked_into) {
  BOOST_TEST(
      Decoded(R"([{"labels":{"a":"b"},"x":1e99,"y":[123456789012345678901234567890,-0]}])").Failure() == "");
}

BOOST_AUTO_TEST_CASE(depth_is_limited) {
  auto nested = [](size_t depth) {
    return R"([{"labels":{"a":"b"},"x":)" + std::string(depth, '[') + std::string(depth, ']') + "}]";
  };
  BOOST_TEST(Decoded(nested(kAlertJsonDepthMax)).Failure() == "");
  BOOST_TEST(Decoded(nested(kAlertJsonDepthMax + 1)).Failure() ==
             "400 400 JSON is nested deeper than 32 levels");
  BOOST_TEST(!Decoded(std::string(2'000'000, '[')).ok);
  std::string objects = R"([{"x":)";
  for (int i = 0; i < 100'000; ++i) {
    objects += R"({"x":)";
  }
  BOOST_TEST(!Decoded(objects).ok);
}

BOOST_AUTO_TEST_CASE(label_counts_are_limited) {
  auto alert = [](size_t count, const char* field) {
    std::string body = R"([{"labels":{"z":"1"},)";
    body += std::string("\"") + field + "\":{";
    for (size_t i = 0; i < count; ++i) {
      body += (i > 0 ? ",\"l" : "\"l") + std::to_string(i) + "\":\"v\"";
    }
    return body + "}}]";
  };
  BOOST_TEST(Decoded(alert(kAlertLabelsMax, "annotations")).Failure() == "");
  BOOST_TEST(Decoded(alert(kAlertLabelsMax + 1, "annotations")).failure.http_status == 400);
  // With the label that all of them have.
  BOOST_TEST(Decoded(alert(kAlertLabelsMax - 1, "labels")).Failure() == "");
  BOOST_TEST(Decoded(alert(kAlertLabelsMax, "labels")).failure.http_status == 400);
}

BOOST_AUTO_TEST_CASE(many_alerts_with_many_labels) {
  std::string body = "[";
  for (int i = 0; i < 10'000; ++i) {
    body += (i > 0 ? "," : "");
    body += R"({"labels":{"alertname":"A","n":")" + std::to_string(i) + R"("}})";
  }
  Decoded d(body + "]");
  BOOST_REQUIRE(d.batch.alerts.size() == 10'000u);
  BOOST_TEST(d.Labels(0) == "alertname=A n=0 |");
  BOOST_TEST(d.Labels(9999) == "alertname=A n=9999 |");
}

BOOST_AUTO_TEST_CASE(invalid_alerts_are_named_and_the_others_stay) {
  Decoded d(
      R"([{"labels":{}},{"labels":{"a":""}},{"labels":{"ok":"1"}},{"labels":{"":"x"}},)"
      R"({"labels":{"a":"b"},"annotations":{"":"x"}},{"labels":{"ok":"2"},"endsAt":"2020-01-01T00:00:00Z"}])");
  BOOST_TEST(d.ok);
  BOOST_REQUIRE(d.batch.errors.size() == 4u);
  BOOST_TEST(d.batch.errors[0] == "at least one label pair required");
  BOOST_TEST(d.batch.errors[1] == "at least one label pair required");
  BOOST_TEST(d.batch.errors[2] == "invalid label set: invalid name \"\"");
  BOOST_TEST(d.batch.errors[3] == "invalid annotations: invalid name \"\"");
  BOOST_REQUIRE(d.batch.alerts.size() == 2u);
  BOOST_TEST(d.Labels(0) == "ok=1 |");
  BOOST_TEST(d.Labels(1) == "ok=2 |");
  // Counted before validation.
  BOOST_TEST(d.batch.received_firing == 5u);
  BOOST_TEST(d.batch.received_resolved == 1u);
}

BOOST_AUTO_TEST_CASE(generator_urls) {
  for (const char* good :
       {"", "http://p", "https://p/g?a=b#c", "urn:x", "mailto:a@b", "x+y-1.z:1", "/path"}) {
    BOOST_TEST(Decoded(Wrap(R"("generatorURL":")" + std::string(good) + "\"")).Failure() == "");
  }
  for (const char* bad : {"foo", "://x", "http://[::1", "1http://x", "http:", "a b://x", "http://x y"}) {
    BOOST_TEST_CONTEXT(bad) {
      BOOST_TEST(Decoded(Wrap(R"("generatorURL":")" + std::string(bad) + "\"")).failure.code == 601);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_batch_is_used_again) {
  IngestBatch batch;
  DecodeFailure failure;
  std::string first = R"([{"labels":{"a":"1"}},{"labels":{}}])";
  BOOST_TEST(DecodeAlerts(first, {kNow, 5min}, batch, failure));
  BOOST_TEST(batch.errors.size() == 1u);
  std::string second = "[]";
  BOOST_TEST(DecodeAlerts(second, {kNow, 5min}, batch, failure));
  BOOST_TEST(batch.alerts.empty());
  BOOST_TEST(batch.errors.empty());
  BOOST_TEST(batch.received_firing == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
