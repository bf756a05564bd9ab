// The SMTP conversation after EHLO (and STARTTLS): AUTH, MAIL, RCPT, DATA, QUIT, one command at a time, as
// Go's net/smtp and Alertmanager's email notifier speak it.
// Fed by: net/smtp_transfer with what the server says. Hands on: what to say next. Pure: no socket, no clock.
// Thread: the transport's only. Limits: kSmtpLineBytesMax, kSmtpReplyLinesMax. Errors quote the server, never
// a credential.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "net/smtp_mail.h"

namespace mlalert {

inline constexpr size_t kSmtpLineBytesMax = 8 * 1024;
inline constexpr size_t kSmtpReplyLinesMax = 256;

// A reply of one or more lines: "250-PIPELINING", "250 HELP".
struct SmtpReply {
  int code = 0;
  std::vector<std::string> lines;  // without code

  // "550 no such user", lines joined by a space.
  std::string ToString() const;
};

// Puts replies together from lines.
class SmtpReplyReader {
 public:
  enum class State : uint8_t { kMore, kComplete, kBroken };
  // `line` without its end. After kComplete reply() is whole; the next line starts another one.
  State Add(std::string_view line);
  const SmtpReply& reply() const { return reply_; }

 private:
  SmtpReply reply_;
  bool complete_ = true;
};

// "AUTH" -> "CRAM-MD5 LOGIN" of the EHLO reply; null when the server does not offer it. Case does not matter.
const std::string* FindSmtpExtension(const SmtpReply& ehlo, std::string_view name, std::string& parameters);

class SmtpDialog {
 public:
  // `mail` must outlive this. `encrypted`: the connection is.
  SmtpDialog(const SmtpMail& mail, const SmtpReply& ehlo, bool encrypted);

  // Bytes from the server, as they come.
  void Receive(std::string_view bytes);
  // The server closed the connection.
  void Closed();
  // Bytes for the server, in order; the caller removes what it has sent.
  std::string& output() { return output_; }

  bool finished() const { return step_ == Step::kDone; }
  // The server has taken the mail; holds from then on, whatever happens to QUIT.
  bool accepted() const { return accepted_; }
  // Why not. Empty while it goes on and when accepted.
  const std::string& error() const { return error_; }
  bool closed() const { return closed_; }
  // What it waits for: "the answer to MAIL".
  std::string_view WaitsFor() const;

 private:
  enum class Step : uint8_t { kAuth, kMail, kRcpt, kData, kMessage, kQuit, kDone };
  enum class Mechanism : uint8_t { kNone, kCramMd5, kPlain, kLogin };

  void Begin();
  bool ChooseMechanism(std::string_view offered);
  void OnReply(const SmtpReply& reply);
  void OnAuthReply(const SmtpReply& reply);
  void AnswerChallenge(std::string_view challenge);
  void Authenticated() { SendMail(); }
  void SendMail();
  void SendRecipient();
  void SendMessage();
  void Command(Step step, std::string_view line);
  void Fail(std::string error);

  const SmtpMail& mail_;
  const SmtpReply ehlo_;
  const bool encrypted_;
  Step step_ = Step::kAuth;
  Mechanism mechanism_ = Mechanism::kNone;
  size_t recipient_ = 0;
  bool accepted_ = false;
  bool closed_ = false;
  std::string error_;
  std::string input_;
  std::string output_;
  SmtpReplyReader reader_;
};

// The message as DATA wants it: CRLF line ends, dots doubled, ended by a line with a dot.
std::string SmtpDataLines(std::string_view message);

}  // namespace mlalert
