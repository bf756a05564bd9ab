#include "intake/ingest_batch.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "support/builders.h"

namespace mlalert {
namespace {

using namespace std::chrono_literals;

const Timestamp kNow = FromUnixMillis(1767225600000);

std::string Print(const std::vector<Label>& labels, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) {
    out.append(labels[i].name).append("=").append(labels[i].value).append(" ");
  }
  return out;
}

DecodedAlert MakeAlert(std::vector<Label>& labels, Timestamp starts, Timestamp ends) {
  DecodedAlert alert;
  alert.labels = labels;
  alert.starts_at = starts;
  alert.ends_at = ends;
  return alert;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(normalise_labels)

BOOST_AUTO_TEST_CASE(sorts_keeps_the_last_and_drops_empty_values_on_request) {
  struct {
    std::vector<Label> in;
    bool drop_empty;
    const char* out;
  } const cases[] = {
      {{}, true, ""},
      {{{"a", "1"}}, true, "a=1 "},
      {{{"b", "2"}, {"a", "1"}}, true, "a=1 b=2 "},
      {{{"a", "1"}, {"b", "2"}, {"a", "3"}}, true, "a=3 b=2 "},
      {{{"a", ""}, {"b", "2"}}, true, "b=2 "},
      {{{"a", ""}, {"b", "2"}}, false, "a= b=2 "},
      // The last one counts, also when it is empty: the label is gone.
      {{{"a", "1"}, {"a", ""}}, true, ""},
      {{{"a", ""}, {"a", "1"}}, true, "a=1 "},
      {{{"", "x"}, {"a", "1"}}, true, "=x a=1 "},
      // Bytes, not letters: upper case before lower case, UTF-8 behind both.
      {{{"\xC3\xA4", "1"}, {"b", "2"}, {"B", "3"}}, true, "B=3 b=2 \xC3\xA4=1 "},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.out) {
      std::vector<Label> labels = c.in;
      size_t count = NormaliseLabels(labels.data(), labels.size(), c.drop_empty);
      BOOST_TEST(Print(labels, count) == c.out);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(finish_alert)

BOOST_AUTO_TEST_CASE(fills_in_missing_times) {
  struct {
    const char* what;
    Timestamp starts, ends, want_starts, want_ends;
    bool timeout;
  } const cases[] = {
      {"both missing", kUnset, kUnset, kNow, kNow + 5min, true},
      {"start missing", kUnset, kNow - 1h, kNow - 1h, kNow - 1h, false},
      {"end missing", kNow - 1h, kUnset, kNow - 1h, kNow + 5min, true},
      {"both there", kNow - 1h, kNow + 1h, kNow - 1h, kNow + 1h, false},
      {"equal", kNow, kNow, kNow, kNow, false},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.what) {
      std::vector<Label> labels = {{"a", "1"}};
      DecodedAlert alert = MakeAlert(labels, c.starts, c.ends);
      BOOST_TEST(FinishAlert(alert, kNow, 5min) == "");
      BOOST_TEST((alert.starts_at == c.want_starts));
      BOOST_TEST((alert.ends_at == c.want_ends));
      BOOST_TEST(alert.timeout == c.timeout);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_start_taken_from_the_end_keeps_its_zone) {
  std::vector<Label> labels = {{"a", "1"}};
  DecodedAlert alert = MakeAlert(labels, kUnset, kNow);
  alert.ends_offset_minutes = 120;
  BOOST_TEST(FinishAlert(alert, kNow, 5min) == "");
  BOOST_TEST(alert.starts_offset_minutes == 120);
}

BOOST_AUTO_TEST_CASE(classic_mode_takes_classic_names_only) {
  std::vector<Label> good{{"_a0", "1"}};
  std::vector<Label> bad{{"a.b", "1"}};
  DecodedAlert alert = MakeAlert(good, kNow, kNow + 1h);
  BOOST_TEST(FinishAlert(alert, kNow, 5min, true) == "");
  alert.annotations = bad;
  BOOST_TEST(FinishAlert(alert, kNow, 5min, true) == "invalid annotations: invalid name \"a.b\"");
  BOOST_TEST(FinishAlert(alert, kNow, 5min, false) == "");
  DecodedAlert other = MakeAlert(bad, kNow, kNow + 1h);
  BOOST_TEST(FinishAlert(other, kNow, 5min, true) == "invalid label set: invalid name \"a.b\"");
}

BOOST_AUTO_TEST_CASE(says_what_is_wrong_and_times_come_first) {
  struct {
    std::vector<Label> labels, annotations;
    Timestamp starts, ends;
    const char* error;
  } const cases[] = {
      {{{"a", "1"}}, {}, kNow, kNow - 1ns, "start time must be before end time"},
      {{}, {}, kNow, kNow - 1ns, "start time must be before end time"},
      {{}, {}, kNow, kNow, "at least one label pair required"},
      {{{"", "1"}}, {}, kNow, kNow, "invalid label set: invalid name \"\""},
      {{{"a", "1"}}, {{"", "1"}}, kNow, kNow, "invalid annotations: invalid name \"\""},
      {{{"a", "1"}}, {{"x", ""}}, kNow, kNow, ""},
      {{{"no dots.or-dashes?", "1"}}, {}, kNow, kNow, ""},
      // Already over, but a start in the future and no end.
      {{{"a", "1"}}, {}, kNow + 1h, kUnset, "start time must be before end time"},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.error) {
      std::vector<Label> labels = c.labels;
      std::vector<Label> annotations = c.annotations;
      DecodedAlert alert = MakeAlert(labels, c.starts, c.ends);
      alert.annotations = annotations;
      BOOST_TEST(FinishAlert(alert, kNow, 5min) == c.error);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_fingerprint_is_that_of_the_label_set) {
  std::vector<Label> labels = {{"alertname", "A"}, {"cluster", "eu"}, {"k", ""}};
  DecodedAlert alert = MakeAlert(labels, kNow, kNow);
  BOOST_TEST(FinishAlert(alert, kNow, 5min) == "");
  BOOST_TEST(alert.fingerprint == LabelSet::FromSorted(labels).fingerprint());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
