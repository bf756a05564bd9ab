#include "notify/chat_cases.h"

namespace mlalert::testing {
namespace {

constexpr auto kKind = IntegrationKind::kTelegram;

Receiver Telegram(const std::string& parse_mode = "HTML") {
  Receiver r;
  TelegramConfig& c = r.telegram_configs.emplace_back();
  c.api_url = "http://127.0.0.1";
  c.bot_token = Secret("TOK:en");
  c.chat_id = -100;
  c.message = R"({{ template "telegram.default.message" . }})";
  c.parse_mode = parse_mode;
  return r;
}

std::string Text(const Notification& n) {
  return BuildJson(n).GetString("text");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(telegram)

BOOST_AUTO_TEST_CASE(equals_upstream_byte_for_byte) {
  Receiver html = Telegram();
  html.telegram_configs[0].message_thread_id = 7;
  CheckGolden(html, kKind, "POST /botTOK/sendMessage", "POST /botTOK/sendMessage");
  Receiver silent = Telegram("MarkdownV2");
  silent.telegram_configs[0].chat_id = -101;
  silent.telegram_configs[0].disable_notifications = true;
  CheckGolden(silent, kKind, "POST /botTOK2/sendMessage", "POST /botTOK2/sendMessage");
}

BOOST_AUTO_TEST_CASE(the_token_is_part_of_the_url_and_of_no_error) {
  Notification n = FiringOf(Telegram(), kKind);
  PreparedCall prepared = Must(Build(n));
  BOOST_TEST(prepared.call.url == "http://127.0.0.1/botTOK:en/sendMessage");
  std::string error =
      JudgeAnswer(n, prepared, Answer(404, "no such bot TOK:en at /botTOK:en/sendMessage")).outcome.error;
  BOOST_TEST(error.find("TOK:en") == std::string::npos, error);
}

BOOST_AUTO_TEST_CASE(html_that_is_too_long_becomes_a_notice_and_other_texts_are_cut) {
  Receiver r = Telegram();
  r.telegram_configs[0].message = kTheText;
  BOOST_TEST(Text(FiringWith(r, kKind, Repeated("x", 4096))) == Repeated("x", 4096));
  BOOST_TEST(Text(FiringWith(r, kKind, Repeated("x", 4097))) ==
             "Alertmanager notification could not be sent: message length exceeds Telegram limits.\n"
             "\t\t\tPlease check the template used for producing the message content.");
  r.telegram_configs[0].parse_mode = "";
  BOOST_TEST(Text(FiringWith(r, kKind, Repeated(kFire, 5000))) == Repeated(kFire, 4095) + kDots);
  BOOST_TEST((BuildJson(FiringOf(r, kKind)).Find("parse_mode") == nullptr));
}

BOOST_AUTO_TEST_CASE(only_html_escapes) {
  Receiver r = Telegram();
  r.telegram_configs[0].message = "<b>{{ .CommonAnnotations.t }}</b>";
  BOOST_TEST(Text(FiringWith(r, kKind, "a<b")) == "<b>a&lt;b</b>");
  r.telegram_configs[0].parse_mode = "Markdown";
  BOOST_TEST(Text(FiringWith(r, kKind, "a<b")) == "<b>a<b</b>");
}

BOOST_AUTO_TEST_CASE(acknowledgements_are_escaped_as_the_mode_wants) {
  auto text = [](const std::string& mode) {
    return Text(AcknowledgedOf(Telegram(mode), kKind, "Ann <a>", "on_it."));
  };
  BOOST_TEST(text("HTML") == "[ACKNOWLEDGED] A eu (critical)\nAcknowledged by Ann &lt;a&gt;: on_it.");
  BOOST_TEST(text("") == "[ACKNOWLEDGED] A eu (critical)\nAcknowledged by Ann <a>: on_it.");
  BOOST_TEST(text("Markdown") == "\\[ACKNOWLEDGED] A eu (critical)\nAcknowledged by Ann <a>: on\\_it.");
  BOOST_TEST(text("MarkdownV2") ==
             "\\[ACKNOWLEDGED\\] A eu \\(critical\\)\nAcknowledged by Ann <a\\>: on\\_it\\.");
}

BOOST_AUTO_TEST_CASE(chat_and_token_come_from_files) {
  Receiver r = Telegram();
  TelegramConfig& c = r.telegram_configs[0];
  c.bot_token = Secret();
  c.bot_token_file = "/keys/token";
  c.chat_id = 0;
  c.chat_id_file = "/keys/chat";
  Notification n = FiringOf(r, kKind);
  FakeFiles files;
  files.texts["/keys/token"] = "T\n";
  files.texts["/keys/chat"] = " -42 \n";
  PreparedCall prepared = Must(Build(n, files));
  BOOST_TEST(prepared.call.url == "http://127.0.0.1/botT/sendMessage");
  BOOST_TEST(Must(ParseJson(prepared.call.body)).GetString("chat_id") == "-42");
  for (const char* bad : {"", "x", "1x", "99999999999999999999"}) {
    files.texts["/keys/chat"] = bad;
    auto failed = Build(n, files);
    BOOST_REQUIRE(!failed.has_value());
    BOOST_TEST((failed.error().code == ErrorCode::kIo));
    BOOST_TEST(failed.error().message == "could not parse chat_id from /keys/chat");
  }
}

BOOST_AUTO_TEST_CASE(everything_but_ok_is_tried_again) {
  HttpResult broke_off = Answer(200, R"({"ok":tr)");
  broke_off.failure = Failure::kReset;
  CheckVerdicts(
      FiringOf(Telegram(), kKind),
      {{Answer(200, R"({"ok":true,"result":{"message_id":1}})"), "sent", ""},
       {broke_off, "sent", ""},
       {Answer(400, R"({"ok":false,"error_code":400,"description":"Bad Request: chat not found"})"), "retry",
        "telegram: Bad Request: chat not found (400)"},
       {Answer(401, R"({"ok":false,"error_code":401,"description":"Unauthorized"})"), "retry",
        "telegram: Unauthorized (401)"},
       {Answer(200, R"({"ok":false,"description":"no"})"), "retry", "telegram: no (200)"},
       {Answer(200, "<html>"), "retry", "could not read the answer from Telegram: it is not valid JSON"},
       {Answer(502, "<html>"), "retry", "unexpected status code 502: <html>"},
       {Answer(404, "[]"), "retry", "unexpected status code 404: []"},
       {Broken(Failure::kConnect, "connection refused"), "retry", "connection refused"},
       {Broken(Failure::kCancelled, "cancelled"), "failed", "cancelled"}});
}

BOOST_AUTO_TEST_CASE(its_own_retry_after_is_obeyed) {
  auto wait = [](const char* seconds) {
    return JudgeTelegram(Answer(429, std::string(R"({"ok":false,"error_code":429,"description":"d",)") +
                                         R"("parameters":{"retry_after":)" + seconds + "}}"))
        .retry_after;
  };
  BOOST_TEST((wait("7") == Duration(std::chrono::seconds(7))));
  BOOST_TEST((wait("9000000000000000000") == Duration(std::chrono::hours(24))));
  BOOST_TEST((wait("-1") == std::nullopt));
  BOOST_TEST((wait("\"x\"") == std::nullopt));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
