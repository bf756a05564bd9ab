// One mail to hand to one SMTP server: what HttpCall::smtp carries.
// Made by: notify/email. Carried out by: net/smtp_transfer. Thread: immutable once shared.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/http_client_config.h"
#include "base/secret.h"

namespace mlalert {

// kStartTls: required; without it nothing is sent. kNone: never, even if the server offers it.
enum class SmtpEncryption : uint8_t { kNone, kStartTls, kImplicit };

struct SmtpMail {
  std::string host;
  uint16_t port = 25;
  // The name in EHLO.
  std::string hello = "localhost";
  SmtpEncryption encryption = SmtpEncryption::kStartTls;
  TlsConfig tls;

  // Empty username: no authentication. CRAM-MD5 uses `secret`, PLAIN and LOGIN use `password`.
  std::string username;
  std::string identity;
  Secret password;
  Secret secret;
  // Why a password or secret that is configured could not be read; matters only where it is needed.
  std::string password_problem;
  std::string secret_problem;

  // Addresses without brackets.
  std::string sender;
  std::vector<std::string> recipients;
  // Header and body; any line ends, made CRLF on the wire.
  std::string message;
};

}  // namespace mlalert
