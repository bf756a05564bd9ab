// Tokens of links and buttons: what was signed comes back, and nothing else does.
#include "model/action_token.h"

#include <boost/test/unit_test.hpp>

namespace mlalert {
namespace {

const Timestamp kNow = FromUnixMillis(1'764'000'000'000);
const std::string kKey = "0123456789abcdef0123456789abcdef";

ActionToken Sample() {
  return {TokenAction::kSnooze, {{12, 3}, {13, 1}}, kNow + std::chrono::hours(24), "ml|on-call \xC3\xA9"};
}

BOOST_AUTO_TEST_SUITE(action_token)

BOOST_AUTO_TEST_CASE(comes_back_as_it_was_signed) {
  const std::string text = SignToken(Sample(), TokenPurpose::kLink, kKey);
  BOOST_TEST(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") ==
             std::string::npos);
  auto token = VerifyToken(text, TokenPurpose::kLink, kKey, kNow);
  BOOST_REQUIRE(token.has_value());
  BOOST_TEST((*token == Sample()));
}

BOOST_AUTO_TEST_CASE(every_changed_character_is_noticed) {
  const std::string text = SignToken(Sample(), TokenPurpose::kLink, kKey);
  for (size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    BOOST_TEST(!VerifyToken(changed, TokenPurpose::kLink, kKey, kNow).has_value(), "position " << i);
    BOOST_TEST(!VerifyToken(text.substr(0, i), TokenPurpose::kLink, kKey, kNow).has_value(), "cut at " << i);
  }
  BOOST_TEST(!VerifyToken(text + "A", TokenPurpose::kLink, kKey, kNow).has_value());
}

BOOST_AUTO_TEST_CASE(key_purpose_and_time_count) {
  const std::string text = SignToken(Sample(), TokenPurpose::kLink, kKey);
  BOOST_TEST(!VerifyToken(text, TokenPurpose::kLink, "another key", kNow).has_value());
  BOOST_TEST(!VerifyToken(text, TokenPurpose::kSlack, kKey, kNow).has_value());
  BOOST_TEST(!VerifyToken(text, TokenPurpose::kLink, "", kNow).has_value());
  BOOST_TEST(SignToken(Sample(), TokenPurpose::kLink, "").empty());
  const Timestamp end = Sample().expires_at;
  BOOST_TEST(VerifyToken(text, TokenPurpose::kLink, kKey, end - std::chrono::milliseconds(1)).has_value());
  auto late = VerifyToken(text, TokenPurpose::kLink, kKey, end);
  BOOST_REQUIRE(!late.has_value());
  BOOST_TEST((late.error().code == ErrorCode::kDeadline));
}

BOOST_AUTO_TEST_CASE(large_groups_and_long_names_fit_into_a_slack_button) {
  ActionToken token = Sample();
  token.recipient = std::string(5000, 'r');
  token.targets.clear();
  for (int64_t i = 0; i < 1000; ++i) {
    token.targets.push_back({1'000'000'000 + i, 1'000'000 + i});
  }
  const std::string text = SignToken(token, TokenPurpose::kSlack, kKey);
  BOOST_TEST(text.size() <= kTokenBytesMax);
  auto read = VerifyToken(text, TokenPurpose::kSlack, kKey, kNow);
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST(read->targets.size() == kTokenTargetsMax);
}

BOOST_AUTO_TEST_CASE(garbage_is_no_token) {
  for (std::string_view bad : {"", ".", "a.b", "%%%.%%%", "YQ.YQ", "....", "\xFF\xFE.\x00"}) {
    BOOST_TEST(!VerifyToken(bad, TokenPurpose::kLink, kKey, kNow).has_value());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
