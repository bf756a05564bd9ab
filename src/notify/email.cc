// Mail: a multipart message for one SMTP exchange. Headers cannot be forged by labels (mime.h), the sender
// and the recipients come from parsed addresses only.
#include <array>
#include <charconv>
#include <ctime>
#include <fmt/format.h>

#include "base/hash.h"
#include "net/smtp_mail.h"
#include "notify/acknowledged.h"
#include "notify/mail_address.h"
#include "notify/mime.h"
#include "notify/payload.h"

namespace mlalert {
namespace {

constexpr std::string_view kImplicitTlsPort = "465";
constexpr size_t kThreadKeyChars = 16;
constexpr size_t kBoundaryChars = 60;

std::tm LocalTime(Timestamp t) {
  const auto seconds =
      static_cast<std::time_t>(std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count());
  std::tm out{};
  localtime_r(&seconds, &out);
  return out;
}

// As Go's RFC1123Z, whatever the locale.
std::string MailDate(Timestamp t) {
  constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::tm tm = LocalTime(t);
  const long minutes = tm.tm_gmtoff / 60;
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} {}{:02}{:02}",
                     kDays[static_cast<size_t>(tm.tm_wday)], tm.tm_mday,
                     kMonths[static_cast<size_t>(tm.tm_mon)], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
                     tm.tm_sec, minutes < 0 ? '-' : '+', std::abs(minutes) / 60, std::abs(minutes) % 60);
}

// All mails about one group, or about one group on one day, answer a mail that never was.
std::string ThreadRoot(const Notification& n, const EmailConfig& c, Timestamp now) {
  std::string day;
  if (c.threading == EmailThreading::kDaily) {
    const std::tm tm = LocalTime(now);
    day = fmt::format("{:04}-{:02}-{:02}", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
  }
  return fmt::format("<alert-{}-{}@alertmanager>", GroupKeyHash(n).substr(0, kThreadKeyChars), day);
}

bool IsAddressHeader(std::string_view name) {
  return name == "To" || name == "From" || name == "Cc" || name == "Reply-To" || name == "Sender";
}

// Those that describe the body, which is ours.
bool IsOwnHeader(std::string_view name) {
  return name == "Content-Type" || name == "Mime-Version" || name == "Content-Transfer-Encoding";
}

class Composer {
 public:
  Composer(const Notification& n, const EmailConfig& c, const ReceiverContext& context, Renderer& render)
      : n_(n), c_(c), context_(context), render_(render) {}

  Result<std::string> Message() {
    // One for all attempts of a notification: should a mail arrive twice, programs can tell.
    const std::string seed =
        Sha256Hex(fmt::format("{}\n{}\n{}\n{}\n{}", n_.group_key, n_.receiver->name, n_.integration.index,
                              n_.id, n_.flushed_at.time_since_epoch().count()));
    MLALERT_ASSIGN(std::string out, ConfiguredHeaders());
    if (!c_.headers.contains("Message-Id")) {
      uint64_t random = 0;
      std::from_chars(seed.data(), seed.data() + 16, random, 16);
      out += HeaderLine("Message-Id", fmt::format("<{}.{}@{}>", n_.flushed_at.time_since_epoch().count(),
                                                  random, context_.hostname));
    }
    if (c_.threading != EmailThreading::kOff) {
      const std::string root = ThreadRoot(n_, c_, context_.now);
      out += HeaderLine("References", root);
      out += HeaderLine("In-Reply-To", root);
    }
    if (!c_.headers.contains("Date")) {
      out += HeaderLine("Date", MailDate(context_.now));
    }
    const std::string boundary = Sha256Hex(seed).substr(0, kBoundaryChars);
    out += HeaderLine("Content-Type", "multipart/alternative;  boundary=" + boundary);
    out += "MIME-Version: 1.0\r\n\r\n";
    MultipartBody body(boundary);
    if (IsAcknowledgement(n_)) {
      body.Add("text/plain", AcknowledgedText(n_, Unescaped) + "\n");
      return out + body.Finish();
    }
    if (!c_.text.empty()) {
      MLALERT_ASSIGN(const std::string text, Rendered("text", c_.text));
      body.Add("text/plain", text);
    }
    if (!c_.html.empty()) {  // last: the best part comes last (RFC 2046 5.1.4)
      MLALERT_ASSIGN(const std::string html, Rendered("html", c_.html, true));
      body.Add("text/html", html);
    }
    return out + body.Finish();
  }

  Result<std::string> Rendered(std::string_view what, std::string_view text, bool html = false) {
    std::string out = html ? render_.Html(text) : render_(text);
    if (!render_.ok()) {
      return Fail(Error(render_.status().error()).Context(fmt::format("execute '{}' template", what)));
    }
    return out;
  }

 private:
  Result<std::string> ConfiguredHeaders() {
    std::string out;
    for (const auto& [name, text] : c_.headers) {
      if (!IsMailHeaderName(name)) {
        return Fail(ErrorCode::kInvalid, fmt::format("invalid header name {}", GoQuote(name)));
      }
      if (IsOwnHeader(name)) {
        continue;
      }
      MLALERT_ASSIGN(std::string value, Rendered(name, text));
      if (name == "Subject" && IsAcknowledgement(n_)) {
        value = AcknowledgedTitle(value);
      }
      out += HeaderLine(name, IsAddressHeader(name) ? EncodeAddressHeader(value) : EncodeHeaderText(value));
    }
    return out;
  }

  const Notification& n_;
  const EmailConfig& c_;
  const ReceiverContext& context_;
  Renderer& render_;
};

// The well-known names, which Go resolves too.
Result<uint16_t> ParsePort(std::string_view text) {
  for (auto [name, port] : {std::pair<std::string_view, uint16_t>{"smtp", 25},
                            {"smtps", 465},
                            {"submissions", 465},
                            {"submission", 587}}) {
    if (text == name) {
      return port;
    }
  }
  uint16_t port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Fail(ErrorCode::kInvalid, fmt::format("smarthost: invalid port {}", GoQuote(text)));
  }
  return port;
}

// Unlike other secrets an auth_secret_file is taken as it is.
void ReadCredentials(const EmailConfig& c, const FileAccess& files, SmtpMail& mail) {
  mail.username = c.auth_username;
  mail.identity = c.auth_identity;
  if (auto password = ReadSecret(c.auth_password, c.auth_password_file, "auth_password_file", files)) {
    mail.password = Secret(std::move(*password));
  } else {
    mail.password_problem = password.error().ToString();
  }
  if (c.auth_secret_file.empty()) {
    mail.secret = c.auth_secret;
  } else if (auto secret = files.read(c.auth_secret_file, kKeyFileBytesMax)) {
    mail.secret = Secret(std::move(*secret));
  } else {
    mail.secret_problem = std::move(secret.error()).Context("read auth_secret_file").ToString();
  }
}

SmtpEncryption EncryptionOf(const EmailConfig& c) {
  if (c.force_implicit_tls.value_or(c.smarthost_port == kImplicitTlsPort)) {
    return SmtpEncryption::kImplicit;
  }
  return c.require_tls ? SmtpEncryption::kStartTls : SmtpEncryption::kNone;
}

// Whatever a server says, it may say something else in a minute.
NotificationOutcome JudgeMail(const HttpResult& result) {
  NotificationOutcome out = JudgeStatus(result, {});
  out.http_status = 0;
  if (!out.error.empty()) {
    HttpResult quoted;
    quoted.body = out.error;
    out.error = QuotedBody(quoted);
  }
  return out;
}

}  // namespace

Result<PreparedCall> BuildEmail(const Notification& n, const ReceiverContext& context) {
  const EmailConfig& c = n.receiver->email_configs[n.integration.index];
  TemplateData data = DataFor(n, context);
  Renderer render(context, data);
  Composer composer(n, c, context, render);
  auto mail = std::make_shared<SmtpMail>();

  MLALERT_ASSIGN(const std::string from, composer.Rendered("from", c.from));
  auto senders = ParseAddressList(from);
  if (!senders) {
    return Fail(std::move(senders.error()).Context("parse 'from' addresses"));
  }
  if (senders->size() != 1) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("must be exactly one 'from' address (got: {})", senders->size()));
  }
  mail->sender = senders->front().address;
  MLALERT_ASSIGN(const std::string to, composer.Rendered("to", c.to));
  auto recipients = ParseAddressList(to);
  if (!recipients) {
    return Fail(std::move(recipients.error()).Context("parse 'to' addresses"));
  }
  for (MailAddress& one : *recipients) {
    mail->recipients.push_back(std::move(one.address));
  }
  MLALERT_ASSIGN(mail->message, composer.Message());

  mail->host = c.smarthost_host;
  MLALERT_ASSIGN(mail->port, ParsePort(c.smarthost_port));
  mail->hello = c.hello.empty() ? "localhost" : c.hello;
  mail->encryption = EncryptionOf(c);
  mail->tls = c.tls_config;
  ReadCredentials(c, context.files, *mail);

  PreparedCall out;
  out.secrets = {mail->password.Reveal(), mail->secret.Reveal()};
  out.call.smtp = std::move(mail);
  out.judge = [](const HttpResult& result) -> NextStep { return JudgeMail(result); };
  return out;
}

}  // namespace mlalert
