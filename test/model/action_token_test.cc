// Tokens of links and buttons: what was signed comes back, and nothing else does.
#include "model/action_token.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>

namespace mlalert {
namespace {

const Timestamp kNow = FromUnixMillis(1'764'000'000'000);
const std::string kKey = "0123456789abcdef0123456789abcdef";

ActionToken Sample() {
  return {TokenAction::kSnooze, {{12, 3}, {13, 1}}, kNow + std::chrono::hours(24), "ml|on-call \xC3\xA9", 0};
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

ActionToken Large(size_t count, int64_t gap, int64_t generation_gap) {
  ActionToken token = Sample();
  token.recipient = std::string(120, 'r');
  token.targets.clear();
  for (int64_t i = 0; i < static_cast<int64_t>(count); ++i) {
    token.targets.push_back({1'000'000'000 + i * gap, 1'000'000 + i * generation_gap});
  }
  return token;
}

BOOST_AUTO_TEST_CASE(a_storm_of_incidents_has_room_in_a_button_and_in_a_link) {
  const ActionToken storm = Large(kTokenTargetsMax, 1, 0);
  for (TokenPurpose purpose : {TokenPurpose::kSlack, TokenPurpose::kLink}) {
    auto read = VerifyToken(SignToken(storm, purpose, kKey), purpose, kKey, kNow);
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST((*read == storm));
  }
  // In whatever order they are told, and with others between them.
  ActionToken mixed = Large(200, 7, 0);
  std::reverse(mixed.targets.begin(), mixed.targets.end());
  auto read = VerifyToken(SignToken(mixed, TokenPurpose::kSlack, kKey), TokenPurpose::kSlack, kKey, kNow);
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST((read->targets == Large(200, 7, 0).targets));
  BOOST_TEST(read->more == 0);
}

BOOST_AUTO_TEST_CASE(what_has_no_room_is_counted) {
  for (const auto& [purpose, bytes_max] : {std::pair{TokenPurpose::kSlack, kTokenBytesMax},
                                           std::pair{TokenPurpose::kLink, kLinkTokenBytesMax}}) {
    for (const ActionToken& token : {Large(5000, 1, 0), Large(5000, 1'000'003, 7)}) {
      ActionToken written = token;
      written.recipient = std::string(5000, 'r');
      written.more = 2;
      const std::string text = SignToken(written, purpose, kKey);
      BOOST_TEST(text.size() <= bytes_max);
      auto read = VerifyToken(text, purpose, kKey, kNow);
      BOOST_REQUIRE(read.has_value());
      BOOST_TEST(read->targets.size() >= 20U);
      BOOST_TEST(read->targets.size() <= kTokenTargetsMax);
      BOOST_TEST(read->targets.size() + static_cast<size_t>(read->more) == 5002U);
      BOOST_TEST(std::equal(read->targets.begin(), read->targets.end(), token.targets.begin()));
    }
  }
}

BOOST_AUTO_TEST_CASE(garbage_is_no_token) {
  for (std::string_view bad : {"", ".", "a.b", "%%%.%%%", "YQ.YQ", "....", "\xFF\xFE.\x00"}) {
    BOOST_TEST(!VerifyToken(bad, TokenPurpose::kLink, kKey, kNow).has_value());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
