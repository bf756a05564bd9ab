// Mails on a real HttpTransport against a scripted server.
#include <boost/test/unit_test.hpp>

#include "net/caller.h"
#include "net/local_server.h"
#include "net/smtp_mail.h"
#include "net/smtp_server.h"

namespace mlalert {

using testing::Caller;
using testing::Connection;
using testing::LocalServer;
using testing::SmtpScript;

namespace {

struct Fixture {
  std::shared_ptr<SmtpMail> mail = [] {
    auto out = std::make_shared<SmtpMail>();
    out->host = "127.0.0.1";
    out->encryption = SmtpEncryption::kNone;
    out->sender = "am@example.org";
    out->recipients = {"a@x.org", "b@x.org"};
    out->message = "Subject: s\r\n\r\nhello\r\n";
    return out;
  }();
  Caller caller;

  HttpResult Send(const LocalServer& server, Duration timeout = std::chrono::seconds(20)) {
    mail->port = static_cast<uint16_t>(server.port());
    return caller.Call({.timeout = timeout, .smtp = mail});
  }
};

std::string Joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) {
    out += line + "|";
  }
  return out;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(smtp_transfer, Fixture)

BOOST_AUTO_TEST_CASE(delivers_a_mail) {
  SmtpScript script;
  LocalServer server(std::ref(script));
  mail->hello = "alerts.example.org";
  mail->username = "user";
  mail->password = Secret("pass");
  HttpResult result = Send(server);
  BOOST_TEST(result.error == "");
  BOOST_TEST(result.status == 250);
  BOOST_TEST(Joined(script.lines()) ==
             "EHLO alerts.example.org|AUTH LOGIN|dXNlcg==|cGFzcw==|MAIL FROM:<am@example.org> BODY=8BITMIME "
             "SMTPUTF8|RCPT TO:<a@x.org>|RCPT TO:<b@x.org>|DATA|Subject: s||hello|.|QUIT|");
}

BOOST_AUTO_TEST_CASE(a_large_message_passes_whole) {
  SmtpScript script;
  LocalServer server(std::ref(script));
  mail->message = "Subject: s\r\n\r\n";
  for (int i = 0; i < 100'000; ++i) {
    mail->message += "some line of text that is repeated\r\n";
  }
  HttpResult result = Send(server);
  BOOST_TEST(result.error == "");
  BOOST_TEST(script.lines().size() == 100'000 + 9);
}

BOOST_AUTO_TEST_CASE(many_at_once_do_not_disturb_each_other_or_http) {
  SmtpScript script;
  LocalServer server(std::ref(script));
  LocalServer web(LocalServer::Answering([](const testing::Request&) { return testing::Answer(204); }));
  mail->port = static_cast<uint16_t>(server.port());
  std::vector<std::future<HttpResult>> mails, calls;
  for (int i = 0; i < 20; ++i) {
    mails.push_back(caller.Send({.smtp = mail}));
    calls.push_back(caller.Send({.url = web.Url("/")}));
  }
  for (auto& one : mails) {
    BOOST_TEST(Caller::Wait(std::move(one)).status == 250);
  }
  for (auto& one : calls) {
    BOOST_TEST(Caller::Wait(std::move(one)).status == 204);
  }
  BOOST_TEST(server.connections() == 20U);
}

BOOST_AUTO_TEST_CASE(without_starttls_nothing_is_sent_when_it_is_required) {
  SmtpScript script;
  LocalServer server(std::ref(script));
  mail->encryption = SmtpEncryption::kStartTls;
  HttpResult result = Send(server);
  BOOST_TEST(result.error ==
             "'require_tls' is true (default) but \"127.0.0.1:" + std::to_string(server.port()) +
                 "\" does not advertise the STARTTLS extension");
  BOOST_TEST(result.status == 0);
  BOOST_TEST(Joined(script.lines()).find("MAIL") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_refused_starttls_is_no_reason_to_go_on_in_clear) {
  SmtpScript script({.extensions = {"STARTTLS"}, .answers = {{"STARTTLS", "454 no TLS today\r\n"}}});
  LocalServer server(std::ref(script));
  mail->encryption = SmtpEncryption::kStartTls;
  HttpResult result = Send(server);
  BOOST_TEST(result.error == "starttls failed: 454 no TLS today");
  BOOST_TEST(Joined(script.lines()).find("MAIL") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(starttls_is_left_alone_when_not_wanted) {
  SmtpScript script({.extensions = {"STARTTLS"}});
  LocalServer server(std::ref(script));
  BOOST_TEST(Send(server).status == 250);
  BOOST_TEST(Joined(script.lines()).find("STARTTLS") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(refusals_carry_the_server_s_words) {
  struct Case {
    testing::SmtpScriptOptions options;
    const char* error;
  };
  for (const Case& c :
       {Case{{.greeting = "554 no service\r\n"}, "create SMTP client: 554 no service"},
        {{.greeting = "HTTP/1.1 400 Bad Request\r\n"}, "create SMTP client: the server's answer is not SMTP"},
        {{.answers = {{"MAIL", "550 no\r\n"}}}, "send MAIL command: 550 no"},
        {{.answers = {{"RCPT TO:<b", "550 who?\r\n"}}}, "send RCPT command: 550 who?"},
        {{.answers = {{"<message>", "552 too big\r\n"}}}, "delivery failure: 552 too big"},
        {{.answers = {{"DATA", ""}}},
         "the server closed the connection while we waited for the answer to DATA"}}) {
    SmtpScript script(c.options);
    LocalServer server(std::ref(script));
    HttpResult result = Send(server);
    BOOST_TEST(result.error == c.error);
    BOOST_TEST(result.status == 0);
    BOOST_TEST((result.failure != Failure::kNone));
  }
}

BOOST_AUTO_TEST_CASE(nobody_listens) {
  int port = 0;
  {
    LocalServer gone([](Connection&) {});
    port = gone.port();
  }
  mail->port = static_cast<uint16_t>(port);
  HttpResult result = caller.Call({.smtp = mail});
  BOOST_TEST(FailureName(result.failure) == "connect");
  BOOST_TEST(result.error == "establish connection to server: connect to 127.0.0.1 port " +
                                 std::to_string(port) + ": connection refused");
}

BOOST_AUTO_TEST_CASE(one_deadline_ends_a_server_that_hangs_anywhere) {
  SmtpScript script({.hang_at_end_of_data = true});
  LocalServer server(std::ref(script));
  HttpResult result = Send(server, std::chrono::milliseconds(300));
  BOOST_TEST(FailureName(result.failure) == "timeout");
  BOOST_TEST(result.error == "deadline of 300ms exceeded while waiting for the server to take the message");
  LocalServer silent([](Connection& connection) { connection.Hang(); });
  result = Send(silent, std::chrono::milliseconds(300));
  BOOST_TEST(FailureName(result.failure) == "timeout");
  BOOST_TEST((result.latency >= std::chrono::milliseconds(295)));
}

BOOST_AUTO_TEST_CASE(can_be_cancelled_while_it_speaks) {
  SmtpScript script({.hang_at_end_of_data = true});
  LocalServer server(std::ref(script));
  mail->port = static_cast<uint16_t>(server.port());
  auto pending = caller.Send({.smtp = mail});
  while (Joined(script.lines()).find("|.|") == std::string::npos) {
    std::this_thread::yield();
  }
  caller.transport->CancelLane(caller.lane);
  BOOST_TEST(FailureName(Caller::Wait(std::move(pending)).failure) == "cancelled");
}

BOOST_AUTO_TEST_CASE(a_mail_taken_stays_sent_when_quit_fails) {
  SmtpScript script({.answers = {{"QUIT", ""}}});
  LocalServer server(std::ref(script));
  BOOST_TEST(Send(server).status == 250);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
