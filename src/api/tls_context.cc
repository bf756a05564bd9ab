#include "api/tls_context.h"

#include <algorithm>
#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "config/file_io.h"

namespace mlalert {

struct TlsContext::Policy {
  bool verifies = false;  // the chain must be good, not only there
  bool checks_sans = false;
  std::vector<std::string> allowed_sans;
};

namespace {

constexpr size_t kPemBytesMax = size_t{4} << 20;
constexpr unsigned char kSessionContext[] = "mlalert";

struct BioDelete {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct X509Delete {
  void operator()(X509* cert) const { X509_free(cert); }
};
struct KeyDelete {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct ContextDelete {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct NamesDelete {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
using BioPtr = std::unique_ptr<BIO, BioDelete>;
using X509Ptr = std::unique_ptr<X509, X509Delete>;
using ContextPtr = std::unique_ptr<SSL_CTX, ContextDelete>;

std::string OpenSslProblem() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = ERR_reason_error_string(code);
  ERR_clear_error();
  return reason != nullptr ? reason : "unknown error";
}

BioPtr Memory(const std::string& text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// A key with a passphrase must not make the daemon ask the terminal.
int NoPassphrase(char*, int, int, void*) {
  return 0;
}

Result<std::string> ReadPem(const std::string& file, const std::string& text, std::string_view key) {
  if (file.empty()) {
    return text;
  }
  auto read = ReadSmallFile(file, kPemBytesMax);
  if (!read) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("failed to read {} ({}): {}", key, file, read.error().message));
  }
  return read;
}

Status LoadPair(SSL_CTX* context, const WebTlsConfig& config) {
  constexpr std::string_view kFailed = "failed to load X509KeyPair: tls: ";
  MLALERT_ASSIGN(std::string cert_pem, ReadPem(config.cert_file, config.cert, "cert_file"));
  MLALERT_ASSIGN(std::string key_pem, ReadPem(config.key_file, config.key.Reveal(), "key_file"));
  BioPtr certs = Memory(cert_pem);
  X509Ptr leaf(PEM_read_bio_X509(certs.get(), nullptr, NoPassphrase, nullptr));
  if (leaf == nullptr || SSL_CTX_use_certificate(context, leaf.get()) != 1) {
    (void)OpenSslProblem();
    return Fail(ErrorCode::kInvalid,
                fmt::format("{}failed to find any PEM data in certificate input", kFailed));
  }
  while (X509* link = PEM_read_bio_X509(certs.get(), nullptr, NoPassphrase, nullptr)) {
    if (SSL_CTX_add0_chain_cert(context, link) != 1) {
      X509_free(link);
      return Fail(ErrorCode::kInvalid, fmt::format("{}{}", kFailed, OpenSslProblem()));
    }
  }
  ERR_clear_error();  // the end of the file counts as one
  std::unique_ptr<EVP_PKEY, KeyDelete> key(
      PEM_read_bio_PrivateKey(Memory(key_pem).get(), nullptr, NoPassphrase, nullptr));
  if (key == nullptr) {
    (void)OpenSslProblem();
    return Fail(ErrorCode::kInvalid, fmt::format("{}failed to find any PEM data in key input", kFailed));
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    (void)OpenSslProblem();
    return Fail(ErrorCode::kInvalid, fmt::format("{}private key does not match public key", kFailed));
  }
  return {};
}

int VersionOf(TlsVersion version) {
  switch (version) {
    case TlsVersion::kTls10:
      return TLS1_VERSION;
    case TlsVersion::kTls11:
      return TLS1_1_VERSION;
    case TlsVersion::kDefault:
    case TlsVersion::kTls12:
      return TLS1_2_VERSION;
    case TlsVersion::kTls13:
      return TLS1_3_VERSION;
  }
  return TLS1_2_VERSION;
}

Status SetProtocol(SSL_CTX* context, const WebTlsConfig& config) {
  SSL_CTX_set_min_proto_version(context, VersionOf(config.min_version));
  SSL_CTX_set_max_proto_version(context, VersionOf(config.max_version));
  std::string ciphers;
  for (const std::string& name : config.cipher_suites) {
    std::string_view openssl = OpenSslCipherName(name).value_or("");
    if (!openssl.empty()) {
      ciphers.append(ciphers.empty() ? "" : ":").append(openssl);
    }
  }
  if (ciphers.empty()) {
    ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES";
  }
  // OpenSSL forbids the versions before 1.2 at its usual security level, whatever the bounds say.
  const bool old = config.min_version == TlsVersion::kTls10 || config.min_version == TlsVersion::kTls11;
  if (SSL_CTX_set_cipher_list(context, (ciphers + (old ? ":@SECLEVEL=0" : "")).c_str()) != 1) {
    return Fail(ErrorCode::kInvalid, "cipher_suites: " + OpenSslProblem());
  }
  std::string curves;
  for (const std::string& name : config.curves) {
    // X25519MLKEM768 is not in OpenSSL 3.0: it is left out, the others of the list serve.
    std::string_view group = name == "CurveP256"   ? "P-256"
                             : name == "CurveP384" ? "P-384"
                             : name == "CurveP521" ? "P-521"
                             : name == "X25519"    ? "X25519"
                                                   : "";
    if (!group.empty()) {
      curves.append(curves.empty() ? "" : ":").append(group);
    }
  }
  if (!curves.empty() && SSL_CTX_set1_groups_list(context, curves.c_str()) != 1) {
    return Fail(ErrorCode::kInvalid, "curve_preferences: " + OpenSslProblem());
  }
  if (config.prefer_server_cipher_suites) {
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  }
  return {};
}

// One of the certificate's names, in the way they are written.
bool HasAllowedName(X509* cert, const std::vector<std::string>& allowed) {
  std::unique_ptr<GENERAL_NAMES, NamesDelete> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(cert, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    std::string text;
    if (name->type == GEN_DNS || name->type == GEN_EMAIL || name->type == GEN_URI) {
      const ASN1_IA5STRING* value = name->d.ia5;
      text.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                  static_cast<size_t>(ASN1_STRING_length(value)));
    } else if (name->type == GEN_IPADD) {
      char buffer[INET6_ADDRSTRLEN] = "";
      const bool v4 = ASN1_STRING_length(name->d.iPAddress) == 4;
      inet_ntop(v4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(name->d.iPAddress), buffer, sizeof buffer);
      text = buffer;
    }
    if (!text.empty() && std::find(allowed.begin(), allowed.end(), text) != allowed.end()) {
      return true;
    }
  }
  return false;
}

// ALPN: HTTP/1.1, or nothing that we speak.
int SelectProtocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                   unsigned in_size, void*) {
  static constexpr unsigned char kOurs[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  const int result = SSL_select_next_proto(&chosen, out_size, kOurs, sizeof kOurs - 1, in, in_size);
  *out = chosen;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

Status AddClientCa(SSL_CTX* context, const WebTlsConfig& config) {
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  // As in Go: what stands in the file is trusted, also when it is not self-signed.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  if (config.client_ca.empty() && config.client_ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context);
    return {};
  }
  std::string pem = config.client_ca;
  if (!config.client_ca_file.empty()) {
    auto read = ReadSmallFile(config.client_ca_file, kPemBytesMax);
    if (!read) {
      return Fail(ErrorCode::kInvalid,
                  fmt::format("client_ca_file ({}): {}", config.client_ca_file, read.error().message));
    }
    pem = std::move(*read);
  }
  BioPtr bio = Memory(pem);
  for (;;) {
    X509Ptr cert(PEM_read_bio_X509(bio.get(), nullptr, NoPassphrase, nullptr));
    if (cert == nullptr) {
      break;
    }
    X509_STORE_add_cert(store, cert.get());
    SSL_CTX_add_client_CA(context, cert.get());
  }
  ERR_clear_error();
  return {};
}

}  // namespace

void SslDelete::operator()(ssl_st* ssl) const {
  SSL_free(ssl);
}

TlsContext::TlsContext(ssl_ctx_st* context, std::unique_ptr<Policy> policy)
    : context_(context), policy_(std::move(policy)) {}

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
}

Result<std::shared_ptr<const TlsContext>> TlsContext::Make(const WebTlsConfig& config) {
  ContextPtr context(SSL_CTX_new(TLS_server_method()));
  if (context == nullptr) {
    return Fail(ErrorCode::kInternal, "TLS: " + OpenSslProblem());
  }
  MLALERT_TRY(LoadPair(context.get(), config));
  MLALERT_TRY(SetProtocol(context.get(), config));
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_id_context(context.get(), kSessionContext, sizeof kSessionContext - 1);
  SSL_CTX_set_alpn_select_cb(context.get(), SelectProtocol, nullptr);

  auto policy = std::make_unique<Policy>();
  policy->verifies =
      config.client_auth == ClientAuth::kVerifyIfGiven || config.client_auth == ClientAuth::kRequireAndVerify;
  policy->checks_sans = config.checks_sans;
  policy->allowed_sans = config.client_allowed_sans;
  if (config.client_auth != ClientAuth::kNone) {
    MLALERT_TRY(AddClientCa(context.get(), config));
    const bool required =
        config.client_auth == ClientAuth::kRequireAny || config.client_auth == ClientAuth::kRequireAndVerify;
    SSL_CTX_set_app_data(context.get(), policy.get());
    SSL_CTX_set_verify(
        context.get(), SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
        [](int good, X509_STORE_CTX* chain) {
          auto* ssl =
              static_cast<SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
          const auto* rules = static_cast<const Policy*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
          if (good == 0 && rules->verifies) {
            return 0;
          }
          if (rules->checks_sans && X509_STORE_CTX_get_error_depth(chain) == 0 &&
              !HasAllowedName(X509_STORE_CTX_get_current_cert(chain), rules->allowed_sans)) {
            X509_STORE_CTX_set_error(chain, X509_V_ERR_APPLICATION_VERIFICATION);
            return 0;
          }
          X509_STORE_CTX_set_error(chain, X509_V_OK);
          return 1;
        });
  }
  return std::shared_ptr<const TlsContext>(new TlsContext(context.release(), std::move(policy)));
}

SslPtr TlsContext::Accept(int fd) const {
  SslPtr ssl(SSL_new(context_));
  if (ssl != nullptr && SSL_set_fd(ssl.get(), fd) != 1) {
    return nullptr;
  }
  if (ssl != nullptr) {
    SSL_set_accept_state(ssl.get());
  }
  return ssl;
}

}  // namespace mlalert
