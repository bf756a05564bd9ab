#include "intake/slack_click.h"

#include <boost/test/unit_test.hpp>

namespace mlalert {
namespace {

constexpr const char* kPayload = R"({"type":"block_actions","user":{"id":"U1","username":"ann","name":"ann"},
  "api_app_id":"A1","token":"t","container":{"type":"message_attachment","message_ts":"17.5","channel_id":"C1"},
  "channel":{"id":"C1","name":"ml"},
  "message":{"type":"message","ts":"17.5","text":"mt","attachments":[
    {"id":1,"title":"T"},
    {"id":2,"blocks":[{"type":"actions","block_id":"mlalert_actions","elements":[]}]}]},
  "response_url":"https://hooks.slack.com/actions/T/1/x",
  "actions":[{"action_id":"other","value":"no"},{"action_id":"mlalert_acknowledge","value":"a.b"}]})";

BOOST_AUTO_TEST_SUITE(slack_click)

BOOST_AUTO_TEST_CASE(reads_what_slack_sends) {
  auto click = DecodeSlackClick(kPayload);
  BOOST_REQUIRE(click.has_value());
  BOOST_TEST(click->type == "block_actions");
  BOOST_TEST(click->action_id == "mlalert_acknowledge");
  BOOST_TEST(click->value == "a.b");
  BOOST_TEST(click->user_id == "U1");
  BOOST_TEST(click->user_name == "ann");
  BOOST_TEST(click->channel_id == "C1");
  BOOST_TEST(click->message_ts == "17.5");
  BOOST_TEST(click->response_url == "https://hooks.slack.com/actions/T/1/x");
}

BOOST_AUTO_TEST_CASE(a_name_is_one_line_of_bounded_length) {
  auto click = DecodeSlackClick(
      R"({"type":"block_actions","user":{"id":"U\t1","name":"Eve\r\nX-Evil: 1\u001b[31m\u007f"}})");
  BOOST_REQUIRE(click.has_value());
  BOOST_TEST(click->user_name == "Eve  X-Evil: 1 [31m ");
  BOOST_TEST(click->user_id == "U 1");
  std::string name;
  for (int i = 0; i < 1000; ++i) {
    name += "\xE6\xBC\xA2";
  }
  click = DecodeSlackClick(R"({"type":"block_actions","user":{"name":")" + name + "\"}}");
  BOOST_REQUIRE(click.has_value());
  BOOST_TEST(click->user_name == name.substr(0, 198));
}

BOOST_AUTO_TEST_CASE(only_web_addresses_are_answered_to) {
  auto click = DecodeSlackClick(R"({"type":"block_actions","response_url":"file:///etc/passwd"})");
  BOOST_REQUIRE(click.has_value());
  BOOST_TEST(click->response_url.empty());
  BOOST_TEST(click->action_id.empty());
}

BOOST_AUTO_TEST_CASE(the_row_of_buttons_is_replaced_where_it_stands) {
  auto click = DecodeSlackClick(kPayload);
  BOOST_REQUIRE(click.has_value());
  Json row = *ParseJson(R"({"fallback":"new"})");
  BOOST_TEST(WithButtonRow(click->message, "mlalert_actions", row).Dump() ==
             R"({"text":"mt","attachments":[{"id":1,"title":"T"},{"fallback":"new"}]})");
  BOOST_TEST(WithButtonRow(click->message, "mlalert_actions", Json()).Dump() ==
             R"({"text":"mt","attachments":[{"id":1,"title":"T"}]})");
  BOOST_TEST(WithButtonRow(*ParseJson("{}"), "mlalert_actions", row).Dump() ==
             R"({"text":"","attachments":[{"fallback":"new"}]})");
}

BOOST_AUTO_TEST_CASE(garbage_is_no_click) {
  for (const char* bad : {"", "[]", "7", "{\"type\":"}) {
    BOOST_TEST(!DecodeSlackClick(bad).has_value(), bad);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
