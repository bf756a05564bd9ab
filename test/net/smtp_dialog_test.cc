#include "net/smtp_dialog.h"

#include <boost/test/unit_test.hpp>

namespace mlalert {
namespace {

SmtpMail Mail() {
  SmtpMail mail;
  mail.host = "mx.example.org";
  mail.sender = "am@example.org";
  mail.recipients = {"a@x.org", "b@x.org"};
  mail.message = "Subject: s\r\n\r\n.dot\nend";
  return mail;
}

SmtpReply Ehlo(std::vector<std::string> extensions) {
  SmtpReply reply{250, {"mx greets you"}};
  reply.lines.insert(reply.lines.end(), extensions.begin(), extensions.end());
  return reply;
}

// What the client said, after each answer of the server.
std::string Talk(SmtpDialog& dialog, const std::vector<std::string>& answers) {
  std::string said = std::exchange(dialog.output(), {});
  for (const std::string& answer : answers) {
    dialog.Receive(answer + "\r\n");
    said += std::exchange(dialog.output(), {});
  }
  return said;
}

std::string FirstLine(const SmtpMail& mail, const std::string& auth, bool encrypted = true) {
  SmtpDialog dialog(mail, Ehlo({auth}), encrypted);
  return dialog.error().empty() ? dialog.output() : dialog.error();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(smtp_dialog)

BOOST_AUTO_TEST_CASE(hands_a_mail_over_command_by_command) {
  const SmtpMail mail = Mail();
  SmtpDialog dialog(mail, Ehlo({"8BITMIME", "SMTPUTF8", "SIZE 100"}), false);
  BOOST_TEST(Talk(dialog, {"250 ok", "250 ok", "251 will forward", "354 go", "250 queued"}) ==
             "MAIL FROM:<am@example.org> BODY=8BITMIME SMTPUTF8\r\n"
             "RCPT TO:<a@x.org>\r\nRCPT TO:<b@x.org>\r\nDATA\r\n"
             "Subject: s\r\n\r\n..dot\r\nend\r\n.\r\nQUIT\r\n");
  BOOST_TEST(dialog.accepted());
  BOOST_TEST(!dialog.finished());
  dialog.Receive("221 bye\r\n");
  BOOST_TEST(dialog.finished());
}

BOOST_AUTO_TEST_CASE(names_no_extension_that_is_not_offered) {
  const SmtpMail mail = Mail();
  SmtpDialog dialog(mail, Ehlo({"SIZE 8"}), false);
  BOOST_TEST(dialog.output() == "MAIL FROM:<am@example.org>\r\n");
}

BOOST_AUTO_TEST_CASE(reads_replies_of_several_lines_and_in_pieces) {
  const SmtpMail mail = Mail();
  SmtpDialog dialog(mail, Ehlo({}), false);
  dialog.output().clear();
  for (char c : std::string("250-first\r\n250 second\r\n")) {
    BOOST_TEST(dialog.output().empty());
    dialog.Receive(std::string_view(&c, 1));
  }
  BOOST_TEST(dialog.output() == "RCPT TO:<a@x.org>\r\n");
}

BOOST_AUTO_TEST_CASE(stops_at_the_first_refusal_with_the_server_s_words) {
  struct Case {
    std::vector<std::string> answers;
    const char* error;
  };
  for (const Case& c :
       {Case{{"550 go away"}, "send MAIL command: 550 go away"},
        {{"250 ok", "550-no such\r\n550 user"}, "send RCPT command: 550 no such user"},
        {{"250 ok", "250 ok", "452 later"}, "send RCPT command: 452 later"},
        {{"250 ok", "250 ok", "250 ok", "451 busy"}, "send DATA command: 451 busy"},
        {{"250 ok", "250 ok", "250 ok", "354 go", "554 spam\x01!"}, "delivery failure: 554 spam !"}}) {
    const SmtpMail mail = Mail();
    SmtpDialog dialog(mail, Ehlo({}), true);
    BOOST_TEST(Talk(dialog, c.answers).ends_with("QUIT\r\n"));
    BOOST_TEST(dialog.finished());
    BOOST_TEST(!dialog.accepted());
    BOOST_TEST(dialog.error() == c.error);
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_smtp_is_an_error) {
  for (const std::string& answer :
       {std::string("hello\r\n"), std::string("25\r\n"), std::string("250_ok\r\n"),
        std::string("250-a\r\n251 b\r\n"), std::string(kSmtpLineBytesMax + 1, 'x')}) {
    const SmtpMail mail = Mail();
    SmtpDialog dialog(mail, Ehlo({}), true);
    dialog.Receive(answer);
    BOOST_TEST(dialog.finished());
    BOOST_TEST(dialog.error().starts_with("the server's answer is"));
  }
  const SmtpMail mail = Mail();
  SmtpDialog dialog(mail, Ehlo({}), true);
  for (size_t i = 0; i < kSmtpReplyLinesMax + 1; ++i) {
    dialog.Receive("250-more\r\n");
  }
  BOOST_TEST(dialog.finished());
}

BOOST_AUTO_TEST_CASE(a_connection_that_ends_too_early_is_an_error_and_later_none) {
  const SmtpMail mail = Mail();
  SmtpDialog early(mail, Ehlo({}), true);
  early.Closed();
  BOOST_TEST(early.error() == "the server closed the connection while we waited for the answer to MAIL");
  SmtpDialog late(mail, Ehlo({}), true);
  Talk(late, {"250 ok", "250 ok", "250 ok", "354 go", "250 queued"});
  late.Closed();
  BOOST_TEST(late.accepted());
  BOOST_TEST(late.finished());
  BOOST_TEST(late.error() == "");
}

BOOST_AUTO_TEST_CASE(takes_the_first_mechanism_of_the_server_that_it_can_use) {
  SmtpMail mail = Mail();
  mail.username = "user";
  mail.password = Secret("pass");
  BOOST_TEST(FirstLine(mail, "AUTH CRAM-MD5 LOGIN PLAIN") == "AUTH LOGIN\r\n");
  BOOST_TEST(FirstLine(mail, "AUTH PLAIN LOGIN") == "AUTH PLAIN AHVzZXIAcGFzcw==\r\n");
  BOOST_TEST(FirstLine(mail, "auth XOAUTH2 plain") == "AUTH PLAIN AHVzZXIAcGFzcw==\r\n");
  mail.identity = "id";
  BOOST_TEST(FirstLine(mail, "AUTH PLAIN") == "AUTH PLAIN aWQAdXNlcgBwYXNz\r\n");
  mail.secret = Secret("s");
  BOOST_TEST(FirstLine(mail, "AUTH LOGIN CRAM-MD5") == "AUTH LOGIN\r\n");
  BOOST_TEST(FirstLine(mail, "AUTH CRAM-MD5 LOGIN") == "AUTH CRAM-MD5\r\n");
}

BOOST_AUTO_TEST_CASE(says_why_no_mechanism_can_be_used) {
  SmtpMail mail = Mail();
  mail.username = "user";
  BOOST_TEST(
      FirstLine(mail, "AUTH CRAM-MD5 PLAIN") ==
      "find auth mechanism: missing secret for CRAM-MD5 auth mechanism; missing password for PLAIN auth "
      "mechanism");
  BOOST_TEST(FirstLine(mail, "AUTH GSSAPI NTLM") ==
             "find auth mechanism: unknown auth mechanism: GSSAPI NTLM");
  mail.password_problem = "read auth_password_file: /p: no such file";
  BOOST_TEST(FirstLine(mail, "AUTH LOGIN") ==
             "find auth mechanism: read auth_password_file: /p: no such file");
}

BOOST_AUTO_TEST_CASE(authenticates_only_when_asked_to_and_offered) {
  SmtpMail mail = Mail();
  mail.password = Secret("pass");
  BOOST_TEST(FirstLine(mail, "AUTH PLAIN").starts_with("MAIL"));
  mail.username = "user";
  BOOST_TEST(FirstLine(mail, "8BITMIME").starts_with("MAIL"));
}

BOOST_AUTO_TEST_CASE(shows_a_plain_password_only_under_encryption_or_to_this_machine) {
  SmtpMail mail = Mail();
  mail.username = "user";
  mail.password = Secret("pass");
  BOOST_TEST(FirstLine(mail, "AUTH PLAIN", false) == "PLAIN auth: unencrypted connection");
  for (const char* host : {"localhost", "127.0.0.1", "::1"}) {
    mail.host = host;
    BOOST_TEST(FirstLine(mail, "AUTH PLAIN", false) == "AUTH PLAIN AHVzZXIAcGFzcw==\r\n");
  }
}

BOOST_AUTO_TEST_CASE(answers_the_prompts_of_login) {
  SmtpMail mail = Mail();
  mail.username = "user";
  mail.password = Secret("pass");
  SmtpDialog dialog(mail, Ehlo({"AUTH LOGIN"}), true);
  BOOST_TEST(Talk(dialog, {"334 VXNlcm5hbWU6", "334 cGFzc3dvcmQ6", "235 ok"}) ==
             "AUTH LOGIN\r\ndXNlcg==\r\ncGFzcw==\r\nMAIL FROM:<am@example.org>\r\n");
  // As the draft has them: "User Name", "Password", each with a NUL.
  SmtpDialog draft(mail, Ehlo({"AUTH LOGIN"}), true);
  BOOST_TEST(Talk(draft, {"334 VXNlciBOYW1lAA==", "334 UGFzc3dvcmQA"}) ==
             "AUTH LOGIN\r\ndXNlcg==\r\ncGFzcw==\r\n");
  SmtpDialog odd(mail, Ehlo({"AUTH LOGIN"}), true);
  Talk(odd, {"334 V2hhdD8="});
  BOOST_TEST(odd.error() == "LOGIN auth: unexpected server challenge");
  SmtpDialog refused(mail, Ehlo({"AUTH LOGIN"}), true);
  Talk(refused, {"334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "535 5.7.8 bad credentials"});
  BOOST_TEST(refused.error() == "LOGIN auth: 535 5.7.8 bad credentials");
}

// RFC 2195, section 2.
BOOST_AUTO_TEST_CASE(answers_the_challenge_of_cram_md5) {
  SmtpMail mail = Mail();
  mail.username = "tim";
  mail.secret = Secret("tanstaaftanstaaf");
  SmtpDialog dialog(mail, Ehlo({"AUTH CRAM-MD5"}), false);
  BOOST_TEST(Talk(dialog, {"334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+"}) ==
             "AUTH CRAM-MD5\r\ndGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw\r\n");
  SmtpDialog odd(mail, Ehlo({"AUTH CRAM-MD5"}), false);
  Talk(odd, {"334 !!"});
  BOOST_TEST(odd.error() == "CRAM-MD5 auth: the server's challenge is not base64");
}

BOOST_AUTO_TEST_CASE(an_address_cannot_bring_a_command_along) {
  SmtpMail mail = Mail();
  mail.sender = "a@b>\r\nRCPT TO:<c@d";
  SmtpDialog dialog(mail, Ehlo({}), true);
  BOOST_TEST(dialog.error() == "a command would contain a line break");
  BOOST_TEST(dialog.output() == "QUIT\r\n");
}

BOOST_AUTO_TEST_CASE(a_message_cannot_end_itself) {
  BOOST_TEST(SmtpDataLines("a\n.\nb") == "a\r\n..\r\nb\r\n.\r\n");
  BOOST_TEST(SmtpDataLines("a\r.\rb\r\n") == "a\r\n..\r\nb\r\n.\r\n");
  BOOST_TEST(SmtpDataLines("") == ".\r\n");
  BOOST_TEST(SmtpDataLines(".") == "..\r\n.\r\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert
