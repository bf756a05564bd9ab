#include "net/smtp_dialog.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "base/hash.h"
#include "net/credentials.h"

namespace mlalert {

namespace {

// Of a reply quoted in an error.
constexpr size_t kQuotedBytesMax = 512;

std::string_view MechanismName(int index) {
  constexpr std::string_view kNames[] = {"", "CRAM-MD5", "PLAIN", "LOGIN"};
  return kNames[index];
}

// Go's: a password in clear is only shown to this machine.
bool IsThisMachine(std::string_view host) {
  return host == "localhost" || host == "127.0.0.1" || host == "::1";
}

std::optional<std::string> DecodeBase64(std::string_view text) {
  std::string out;
  uint32_t group = 0;
  int bits = 0;
  while (text.ends_with('=')) {
    text.remove_suffix(1);
  }
  for (const char c : text) {
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) {
      return std::nullopt;
    }
    group = group << 6 | static_cast<uint32_t>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out.push_back(static_cast<char>(group >> bits & 0xFF));
    }
  }
  return out;
}

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

std::string SmtpReply::ToString() const {
  std::string out = std::to_string(code);
  for (const std::string& line : lines) {
    out += " ";
    for (const char c : line) {
      const auto byte = static_cast<unsigned char>(c);
      out.push_back(byte < 0x20 || byte == 0x7F ? ' ' : c);
    }
    if (out.size() > kQuotedBytesMax) {
      out.resize(kQuotedBytesMax);
      break;
    }
  }
  return out;
}

SmtpReplyReader::State SmtpReplyReader::Add(std::string_view line) {
  if (complete_) {
    reply_ = {};
    complete_ = false;
  }
  const bool numbered = line.size() >= 3 && std::all_of(line.begin(), line.begin() + 3, IsDigit);
  const char mark = line.size() > 3 ? line[3] : ' ';
  if (!numbered || (mark != ' ' && mark != '-') || reply_.lines.size() >= kSmtpReplyLinesMax) {
    return State::kBroken;
  }
  const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  if (!reply_.lines.empty() && code != reply_.code) {
    return State::kBroken;
  }
  reply_.code = code;
  reply_.lines.emplace_back(line.size() > 4 ? line.substr(4) : std::string_view());
  complete_ = mark == ' ';
  return complete_ ? State::kComplete : State::kMore;
}

const std::string* FindSmtpExtension(const SmtpReply& ehlo, std::string_view name, std::string& parameters) {
  for (size_t i = 1; i < ehlo.lines.size(); ++i) {  // the first line is the greeting
    const std::string& line = ehlo.lines[i];
    const size_t space = line.find(' ');
    if (SameHeaderName(std::string_view(line).substr(0, space), name)) {
      parameters = space == std::string::npos ? "" : line.substr(space + 1);
      return &parameters;
    }
  }
  return nullptr;
}

std::string SmtpDataLines(std::string_view message) {
  std::string out;
  out.reserve(message.size() + message.size() / 64 + 8);
  bool line_start = true;
  for (size_t i = 0; i < message.size(); ++i) {
    char c = message[i];
    if (c == '\r' && i + 1 < message.size() && message[i + 1] == '\n') {
      continue;
    }
    if (c == '\n' || c == '\r') {
      out += "\r\n";
      line_start = true;
      continue;
    }
    if (line_start && c == '.') {
      out.push_back('.');
    }
    out.push_back(c);
    line_start = false;
  }
  out += line_start ? ".\r\n" : "\r\n.\r\n";
  return out;
}

SmtpDialog::SmtpDialog(const SmtpMail& mail, const SmtpReply& ehlo, bool encrypted)
    : mail_(mail), ehlo_(ehlo), encrypted_(encrypted) {
  Begin();
}

void SmtpDialog::Begin() {
  std::string offered;
  if (mail_.username.empty() || FindSmtpExtension(ehlo_, "AUTH", offered) == nullptr) {
    SendMail();
    return;
  }
  if (!ChooseMechanism(offered)) {
    return;
  }
  std::string line = fmt::format("AUTH {}", MechanismName(static_cast<int>(mechanism_)));
  if (mechanism_ == Mechanism::kPlain) {
    std::string credentials = mail_.identity;
    credentials.push_back('\0');
    credentials += mail_.username;
    credentials.push_back('\0');
    credentials += mail_.password.Reveal();
    line += " " + Base64(credentials);
  }
  Command(Step::kAuth, line);
}

// The first in the server's order for which we have what it needs.
bool SmtpDialog::ChooseMechanism(std::string_view offered) {
  std::string problems;
  const auto usable = [&](std::string_view name, const Secret& value, const std::string& problem,
                          const char* what) {
    if (!problem.empty()) {
      problems += fmt::format("{}{}", problems.empty() ? "" : "; ", problem);
    } else if (value.empty()) {
      problems += fmt::format("{}missing {} for {} auth mechanism", problems.empty() ? "" : "; ", what, name);
    }
    return problem.empty() && !value.empty();
  };
  const std::string all(offered);
  while (mechanism_ == Mechanism::kNone && !offered.empty()) {
    const size_t space = offered.find(' ');
    const std::string_view name = offered.substr(0, space);
    offered.remove_prefix(space == std::string_view::npos ? offered.size() : space + 1);
    if (SameHeaderName(name, "CRAM-MD5") && usable(name, mail_.secret, mail_.secret_problem, "secret")) {
      mechanism_ = Mechanism::kCramMd5;
    } else if (SameHeaderName(name, "PLAIN") &&
               usable(name, mail_.password, mail_.password_problem, "password")) {
      mechanism_ = Mechanism::kPlain;
    } else if (SameHeaderName(name, "LOGIN") &&
               usable(name, mail_.password, mail_.password_problem, "password")) {
      mechanism_ = Mechanism::kLogin;
    }
  }
  if (mechanism_ == Mechanism::kNone) {
    Fail(fmt::format("find auth mechanism: {}",
                     problems.empty() ? "unknown auth mechanism: " + all : problems));
    return false;
  }
  if (mechanism_ == Mechanism::kPlain && !encrypted_ && !IsThisMachine(mail_.host)) {
    Fail("PLAIN auth: unencrypted connection");
    return false;
  }
  return true;
}

void SmtpDialog::Receive(std::string_view bytes) {
  input_ += bytes;
  size_t end = 0;
  while (!finished() && (end = input_.find('\n')) != std::string::npos) {
    std::string line = input_.substr(0, end);
    input_.erase(0, end + 1);
    if (line.ends_with('\r')) {
      line.pop_back();
    }
    switch (reader_.Add(line)) {
      case SmtpReplyReader::State::kMore:
        break;
      case SmtpReplyReader::State::kComplete:
        OnReply(SmtpReply(reader_.reply()));
        break;
      case SmtpReplyReader::State::kBroken:
        Fail("the server's answer is not SMTP");
        break;
    }
  }
  if (input_.size() > kSmtpLineBytesMax) {
    Fail("the server's answer is too long");
  }
}

void SmtpDialog::Closed() {
  closed_ = true;
  Fail(fmt::format("the server closed the connection while we waited for {}", WaitsFor()));
}

void SmtpDialog::OnReply(const SmtpReply& reply) {
  switch (step_) {
    case Step::kAuth:
      OnAuthReply(reply);
      return;
    case Step::kMail:
      if (reply.code != 250) {
        Fail("send MAIL command: " + reply.ToString());
        return;
      }
      SendRecipient();
      return;
    case Step::kRcpt:
      if (reply.code / 10 != 25) {
        Fail("send RCPT command: " + reply.ToString());
        return;
      }
      if (++recipient_ < mail_.recipients.size()) {
        SendRecipient();
      } else {
        Command(Step::kData, "DATA");
      }
      return;
    case Step::kData:
      if (reply.code != 354) {
        Fail("send DATA command: " + reply.ToString());
        return;
      }
      SendMessage();
      return;
    case Step::kMessage:
      if (reply.code != 250) {
        Fail("delivery failure: " + reply.ToString());
        return;
      }
      accepted_ = true;
      Command(Step::kQuit, "QUIT");
      return;
    case Step::kQuit:
      step_ = Step::kDone;
      return;
    case Step::kDone:
      return;
  }
}

void SmtpDialog::OnAuthReply(const SmtpReply& reply) {
  if (reply.code == 235) {
    SendMail();
  } else if (reply.code == 334) {
    const auto challenge = DecodeBase64(reply.lines.front());
    if (!challenge) {
      Fail(fmt::format("{} auth: the server's challenge is not base64",
                       MechanismName(static_cast<int>(mechanism_))));
      return;
    }
    AnswerChallenge(*challenge);
  } else {
    Fail(fmt::format("{} auth: {}", MechanismName(static_cast<int>(mechanism_)), reply.ToString()));
  }
}

void SmtpDialog::AnswerChallenge(std::string_view challenge) {
  if (mechanism_ == Mechanism::kCramMd5) {
    Command(Step::kAuth,
            Base64(fmt::format("{} {}", mail_.username, HmacMd5Hex(mail_.secret.Reveal(), challenge))));
    return;
  }
  // Upstream knows "Username:" and "Password:" only; the draft has "User Name" and "Password", ended by NUL.
  std::string prompt = Lower(challenge);
  while (prompt.ends_with(':') || prompt.ends_with('\0')) {
    prompt.pop_back();
  }
  if (mechanism_ == Mechanism::kLogin && (prompt == "username" || prompt == "user name")) {
    Command(Step::kAuth, Base64(mail_.username));
  } else if (mechanism_ == Mechanism::kLogin && prompt == "password") {
    Command(Step::kAuth, Base64(mail_.password.Reveal()));
  } else {
    Fail(fmt::format("{} auth: unexpected server challenge", MechanismName(static_cast<int>(mechanism_))));
  }
}

void SmtpDialog::SendMail() {
  std::string line = fmt::format("MAIL FROM:<{}>", mail_.sender);
  std::string parameters;
  for (const char* extension : {"8BITMIME", "SMTPUTF8"}) {
    if (FindSmtpExtension(ehlo_, extension, parameters) != nullptr) {
      line += extension == std::string_view("8BITMIME") ? " BODY=8BITMIME" : " SMTPUTF8";
    }
  }
  Command(Step::kMail, line);
}

void SmtpDialog::SendRecipient() {
  Command(Step::kRcpt, fmt::format("RCPT TO:<{}>", mail_.recipients[recipient_]));
}

void SmtpDialog::SendMessage() {
  step_ = Step::kMessage;
  output_ += SmtpDataLines(mail_.message);
}

void SmtpDialog::Command(Step step, std::string_view line) {
  step_ = step;
  // A line end inside would be another command.
  if (line.find_first_of("\r\n") != std::string_view::npos) {
    Fail("a command would contain a line break");
    return;
  }
  output_ += line;
  output_ += "\r\n";
}

void SmtpDialog::Fail(std::string error) {
  if (!accepted_ && !finished()) {
    error_ = std::move(error);
    if (output_.empty() && !closed_) {
      output_ = "QUIT\r\n";  // a courtesy: nobody waits for the answer
    }
  }
  step_ = Step::kDone;
}

std::string_view SmtpDialog::WaitsFor() const {
  switch (step_) {
    case Step::kAuth:
      return "the answer to AUTH";
    case Step::kMail:
      return "the answer to MAIL";
    case Step::kRcpt:
      return "the answer to RCPT";
    case Step::kData:
      return "the answer to DATA";
    case Step::kMessage:
      return "the server to take the message";
    case Step::kQuit:
      return "the answer to QUIT";
    case Step::kDone:
      break;
  }
  return "nothing";
}

}  // namespace mlalert
