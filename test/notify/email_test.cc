#include <fstream>

#include "net/smtp_mail.h"
#include "notify/exchange.h"

namespace mlalert::testing {
namespace {

EmailConfig Golden() {
  EmailConfig c;
  c.to = "a@x.org, \"B\" <b@x.org>";
  c.from = "Alert Manager <am@example.org>";
  c.smarthost_host = "127.0.0.1";
  c.smarthost_port = "19198";
  c.auth_username = "user";
  c.auth_password = Secret("password-1");
  c.headers = {{"Subject", "{{ template \"email.default.subject\" . }}"},
               {"To", c.to},
               {"From", c.from},
               {"X-Foo", "b\xC3\xA9{{ .Status }}"},
               {"Reply-To", "z@z"}};
  c.text = "plain {{ template \"__subject\" . }}";
  c.html = "{{ template \"email.default.html\" . }}";
  c.require_tls = false;
  c.threading = EmailThreading::kDaily;
  return c;
}

Notification Email(EmailConfig c, std::vector<NotifiedAlert> alerts = {GoldenAlert(false)}) {
  Receiver receiver;
  receiver.email_configs = {std::move(c)};
  return MakeNotification(ConfigOf(std::move(receiver)), IntegrationKind::kEmail, std::move(alerts));
}

SmtpMail MailOf(const Notification& n, ExchangeSetting setting = {}) {
  HttpResult accepted;
  accepted.status = 250;
  Exchange e = Run(n, {accepted}, std::move(setting));
  BOOST_REQUIRE_MESSAGE(e.build_error.empty(), e.build_error);
  BOOST_TEST(Name(e.outcome.verdict) == "sent");
  BOOST_TEST(e.outcome.http_status == 0);
  return *e.calls.at(0).smtp;
}

std::string Head(const SmtpMail& mail) {
  return mail.message.substr(0, mail.message.find("\r\n\r\n") + 2);
}

std::string HeaderIn(const SmtpMail& mail, const std::string& name) {
  const std::string head = "\r\n" + Head(mail);
  const size_t at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) {
    return "";
  }
  const size_t start = at + name.size() + 4;
  return head.substr(start, head.find("\r\n", start) - start);
}

// The decoded text of the part of this type.
std::string Part(const SmtpMail& mail, const std::string& type) {
  size_t start = mail.message.find("Content-Type: " + type + "; charset=UTF-8\r\n\r\n");
  BOOST_REQUIRE(start != std::string::npos);
  start = mail.message.find("\r\n\r\n", start) + 4;
  const std::string coded = mail.message.substr(start, mail.message.find("\r\n--", start) - start);
  std::string out;
  for (size_t i = 0; i < coded.size(); ++i) {
    if (coded[i] == '=' && coded[i + 1] == '\r') {
      i += 2;
    } else if (coded[i] == '=') {
      out.push_back(static_cast<char>(std::stoi(coded.substr(i + 1, 2), nullptr, 16)));
      i += 2;
    } else if (coded[i] != '\r') {
      out.push_back(coded[i]);
    }
  }
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(email)

BOOST_AUTO_TEST_CASE(has_the_envelope_and_headers_of_upstream) {
  SmtpMail mail = MailOf(Email(Golden()));
  BOOST_TEST(mail.host == "127.0.0.1");
  BOOST_TEST(mail.port == 19198);
  BOOST_TEST(mail.hello == "localhost");
  BOOST_TEST(mail.sender == "am@example.org");
  BOOST_TEST(mail.recipients == (std::vector<std::string>{"a@x.org", "b@x.org"}),
             boost::test_tools::per_element());
  BOOST_TEST((mail.encryption == SmtpEncryption::kNone));
  BOOST_TEST(HeaderIn(mail, "Subject") == "[FIRING:1] A eu (critical)");
  BOOST_TEST(HeaderIn(mail, "To") == "a@x.org, \"B\" <b@x.org>");
  BOOST_TEST(HeaderIn(mail, "From") == "Alert Manager <am@example.org>");
  BOOST_TEST(HeaderIn(mail, "X-Foo") == "=?utf-8?q?b=C3=A9firing?=");
  BOOST_TEST(HeaderIn(mail, "Reply-To") == "z@z");
  BOOST_TEST(HeaderIn(mail, "References") == "<alert-b495a0897ab95320-2026-01-02@alertmanager>");
  BOOST_TEST(HeaderIn(mail, "In-Reply-To") == HeaderIn(mail, "References"));
  BOOST_TEST(HeaderIn(mail, "Date") == "Fri, 02 Jan 2026 03:05:00 +0000");
  BOOST_TEST(HeaderIn(mail, "MIME-Version") == "1.0");
  const std::string id = HeaderIn(mail, "Message-Id");
  BOOST_TEST(id.starts_with("<1767323100000000000."));
  BOOST_TEST(id.ends_with("@vm>"));
}

BOOST_AUTO_TEST_CASE(has_the_parts_of_upstream) {
  SmtpMail mail = MailOf(Email(Golden()));
  BOOST_TEST(mail.message.ends_with("\r\n--" + mail.message.substr(mail.message.find("boundary=") + 9, 60) +
                                    "--\r\n"));
  BOOST_TEST(Part(mail, "text/plain") == "plain [FIRING:1] A eu (critical)");
  BOOST_TEST(mail.message.find("text/plain") < mail.message.find("text/html"));
  EmailConfig only_html = Golden();
  only_html.text = "";
  BOOST_TEST(MailOf(Email(only_html)).message.find("text/plain") == std::string::npos);
  EmailConfig only_text = Golden();
  only_text.html = "";
  BOOST_TEST(MailOf(Email(only_text)).message.find("text/html") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(html_escapes_what_labels_say) {
  EmailConfig c = Golden();
  c.html = "<b>{{ .CommonAnnotations.summary }}</b>";
  c.text = "{{ .CommonAnnotations.summary }}";
  SmtpMail mail = MailOf(Email(c));
  BOOST_TEST(Part(mail, "text/html") == "<b>x&lt;1</b>");
  BOOST_TEST(Part(mail, "text/plain") == "x<1");
}

BOOST_AUTO_TEST_CASE(no_label_can_forge_a_header_or_a_recipient) {
  NotifiedAlert alert = MakeAlert({{"alertname", "A\r\nBcc: evil@x.org\r\n\r\nbody"}, {"cluster", "eu"}}, {});
  EmailConfig c = Golden();
  c.headers["Subject"] = "{{ .CommonLabels.alertname }}";
  SmtpMail mail = MailOf(Email(c, {alert}));
  BOOST_TEST(HeaderIn(mail, "Bcc") == "");
  BOOST_TEST(HeaderIn(mail, "Subject") == "=?utf-8?q?A=0D=0ABcc:_evil@x.org=0D=0A=0D=0Abody?=");
  c.to = "{{ .CommonLabels.alertname }}@x.org";
  BOOST_TEST(Run(Email(c, {alert}), {}).build_error.find("parse 'to' addresses: mail: ") !=
             std::string::npos);
  c = Golden();
  c.headers["To"] = "\xC3\xA9 {{ .CommonLabels.alertname }} <a@x.org>";
  mail = MailOf(Email(c, {alert}));
  BOOST_TEST(HeaderIn(mail, "Bcc") == "");
}

BOOST_AUTO_TEST_CASE(headers_never_add_recipients) {
  EmailConfig c = Golden();
  c.headers["To"] = "undisclosed@x.org";
  c.headers["Cc"] = "c@x.org";
  SmtpMail mail = MailOf(Email(c));
  BOOST_TEST(mail.recipients == (std::vector<std::string>{"a@x.org", "b@x.org"}),
             boost::test_tools::per_element());
  BOOST_TEST(HeaderIn(mail, "To") == "undisclosed@x.org");
}

BOOST_AUTO_TEST_CASE(configured_headers_replace_ours_but_for_those_of_the_body) {
  EmailConfig c = Golden();
  c.threading = EmailThreading::kOff;
  c.headers["Message-Id"] = "<mine@x>";
  c.headers["Date"] = "now";
  c.headers["Content-Type"] = "text/plain";
  SmtpMail mail = MailOf(Email(c));
  BOOST_TEST(HeaderIn(mail, "Message-Id") == "<mine@x>");
  BOOST_TEST(HeaderIn(mail, "Date") == "now");
  BOOST_TEST(HeaderIn(mail, "Content-Type").starts_with("multipart/alternative"));
  BOOST_TEST(HeaderIn(mail, "References") == "");
  c.headers["X\r\nY"] = "v";
  BOOST_TEST(Run(Email(c), {}).build_error.find("invalid header name") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_thread_without_date_lasts) {
  EmailConfig c = Golden();
  c.threading = EmailThreading::kNone;
  BOOST_TEST(HeaderIn(MailOf(Email(c)), "References") == "<alert-b495a0897ab95320-@alertmanager>");
}

BOOST_AUTO_TEST_CASE(every_attempt_carries_the_same_message_id) {
  Notification n = Email(Golden());
  ExchangeSetting later;
  later.now += std::chrono::minutes(1);
  BOOST_TEST(HeaderIn(MailOf(n), "Message-Id") == HeaderIn(MailOf(n, later), "Message-Id"));
  Notification other = Email(Golden());
  other.flushed_at += std::chrono::minutes(1);
  BOOST_TEST(HeaderIn(MailOf(n), "Message-Id") != HeaderIn(MailOf(other), "Message-Id"));
}

BOOST_AUTO_TEST_CASE(chooses_the_encryption_by_key_or_port) {
  auto encryption = [](const char* port, bool require, std::optional<bool> implicit) {
    EmailConfig c = Golden();
    c.smarthost_port = port;
    c.require_tls = require;
    c.force_implicit_tls = implicit;
    return MailOf(Email(c)).encryption;
  };
  BOOST_TEST((encryption("25", true, {}) == SmtpEncryption::kStartTls));
  BOOST_TEST((encryption("25", false, {}) == SmtpEncryption::kNone));
  BOOST_TEST((encryption("465", false, {}) == SmtpEncryption::kImplicit));
  BOOST_TEST((encryption("465", true, false) == SmtpEncryption::kStartTls));
  BOOST_TEST((encryption("587", true, true) == SmtpEncryption::kImplicit));
}

BOOST_AUTO_TEST_CASE(reads_password_and_secret_files_in_their_own_way) {
  EmailConfig c = Golden();
  c.auth_password = Secret();
  c.auth_password_file = "/p";
  c.auth_secret_file = "/s";
  ExchangeSetting setting;
  setting.files.texts = {{"/p", " pass word\n"}, {"/s", " secret\n"}};
  SmtpMail mail = MailOf(Email(c), setting);
  BOOST_TEST(mail.password.Reveal() == "pass word");
  BOOST_TEST(mail.secret.Reveal() == " secret\n");
  // A server may want neither: only one that does makes it an error.
  mail = MailOf(Email(c));
  BOOST_TEST(mail.password_problem.find("read auth_password_file") != std::string::npos);
  BOOST_TEST(mail.secret_problem.find("read auth_secret_file") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(bad_addresses_and_templates_are_final) {
  struct Case {
    std::string EmailConfig::*field;
    const char* text;
    const char* error;
  };
  for (const Case& one :
       {Case{&EmailConfig::from, "a@x.org, b@x.org", "must be exactly one 'from' address (got: 2)"},
        {&EmailConfig::from, "nobody", "parse 'from' addresses: mail: "},
        {&EmailConfig::to, "{{ .CommonLabels.nope }}", "parse 'to' addresses: mail: no address"},
        {&EmailConfig::from, "{{ .Nope }}", "execute 'from' template: "},
        {&EmailConfig::to, "{{ .Nope }}", "execute 'to' template: "},
        {&EmailConfig::html, "{{ .Nope }}", "execute 'html' template: "},
        {&EmailConfig::text, "{{ .Nope }}", "execute 'text' template: "},
        {&EmailConfig::smarthost_port, "7x", "smarthost: invalid port \"7x\""}}) {
    EmailConfig c = Golden();
    c.*one.field = one.text;
    const std::string error = Run(Email(c), {}).build_error;
    BOOST_TEST(error.find(one.error) != std::string::npos, error);
  }
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_is_a_short_mail_of_the_thread) {
  Notification n = Email(Golden());
  n.reason = NotifyReason::kAcknowledged;
  n.acknowledged_by = "ann";
  n.acknowledge_comment = "on it";
  SmtpMail mail = MailOf(n);
  BOOST_TEST(HeaderIn(mail, "Subject") == "[ACKNOWLEDGED] A eu (critical)");
  BOOST_TEST(HeaderIn(mail, "References") == "<alert-b495a0897ab95320-2026-01-02@alertmanager>");
  BOOST_TEST(Part(mail, "text/plain") == "Acknowledged by ann: on it\n");
  BOOST_TEST(mail.message.find("text/html") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(every_refusal_is_tried_again_and_shows_no_password) {
  Exchange e = Run(Email(Golden()), {Broken(Failure::kOther, "LOGIN auth: 535 password-1 is wrong")});
  BOOST_TEST(Name(e.outcome.verdict) == "retry");
  BOOST_TEST(e.outcome.error == "LOGIN auth: 535 <secret> is wrong");
  BOOST_TEST(Name(Run(Email(Golden()), {Broken(Failure::kCancelled, "x")}).outcome.verdict) == "failed");
}

// The html part of upstream's mail about the golden alert, as its dialogue shows it.
BOOST_AUTO_TEST_CASE(default_html_equals_upstream_byte_for_byte) {
  BOOST_TEST(Part(MailOf(Email(Golden())), "text/html") == ReadGolden("email_firing.html"));
  BOOST_TEST(Part(MailOf(Email(Golden(), {GoldenAlert(true)})), "text/html") ==
             ReadGolden("email_resolved.html"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mlalert::testing
