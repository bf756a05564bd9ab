#include "net/credentials.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "net/oauth2.h"

namespace mlalert {

namespace {

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

tl::unexpected<Error> FileError(const std::string& path, const char* reason) {
  return Fail(ErrorCode::kIo, fmt::format("unable to read file {}: {}", path, reason));
}

std::string Trimmed(const std::string& text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const size_t begin = text.find_first_not_of(kSpace);
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// The inline text, or the file's content without surrounding white space.
Result<std::string> TextOrFile(const std::string& text, const std::string& path, std::string_view what) {
  if (!text.empty() || path.empty()) {
    return text;
  }
  Result<std::string> content = ReadCredentialFile(path);
  if (!content) {
    return Fail(std::move(content.error()).Context(fmt::format("unable to read {}", what)));
  }
  return Trimmed(*content);
}

}  // namespace

Result<std::string> ReadCredentialFile(const std::string& path) {
  // O_NONBLOCK: opening a pipe without a writer would wait for one.
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) {
    return FileError(path, std::strerror(errno));
  }
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) {
    return FileError(path, std::strerror(errno));
  }
  if (!S_ISREG(info.st_mode)) {
    return FileError(path, "not a regular file");
  }
  std::string content;
  char buffer[16 * 1024];
  for (;;) {
    const ssize_t n = ::read(file.get(), buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return FileError(path, std::strerror(errno));
    }
    if (n == 0) {
      return content;
    }
    content.append(buffer, static_cast<size_t>(n));
    if (content.size() > kCredentialFileBytesMax) {
      return Fail(ErrorCode::kLimit,
                  fmt::format("file {} is larger than {} bytes", path, kCredentialFileBytesMax));
    }
  }
}

std::string Base64(std::string_view bytes) {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t n = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < n ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (size_t k = 0; k < 4; ++k) {
      out += k <= n ? kAlphabet[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  return out;
}

std::string BasicAuthorization(std::string_view username, std::string_view password) {
  return "Basic " + Base64(fmt::format("{}:{}", username, password));
}

bool IsHeaderName(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

bool IsHeaderValue(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

bool SameHeaderName(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return lower(x) == lower(y); });
}

bool HasHeader(const HttpHeaders& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(),
                     [&](const auto& header) { return SameHeaderName(header.first, name); });
}

Result<std::string> AuthorizationValue(const HttpClientConfig& config, const Url& url) {
  if (config.basic_auth) {
    const BasicAuth& basic = *config.basic_auth;
    MLALERT_ASSIGN(const std::string username,
                   TextOrFile(basic.username, basic.username_file, "basic auth username"));
    MLALERT_ASSIGN(const std::string password,
                   TextOrFile(basic.password.Reveal(), basic.password_file, "basic auth password"));
    return BasicAuthorization(username, password);
  }
  if (config.authorization) {
    const Authorization& auth = *config.authorization;
    MLALERT_ASSIGN(const std::string credentials,
                   TextOrFile(auth.credentials.Reveal(), auth.credentials_file, "authorization credentials"));
    return fmt::format("{} {}", auth.type, credentials);
  }
  if (url.username) {
    return BasicAuthorization(*url.username, url.password.value_or(""));
  }
  return "";
}

Result<HttpHeaders> ConfiguredHeaders(const HttpClientConfig& config) {
  HttpHeaders out;
  for (const HttpHeaderConfig& header : config.http_headers) {
    for (const std::string& value : header.values) {
      out.emplace_back(header.name, value);
    }
    for (const Secret& secret : header.secrets) {
      out.emplace_back(header.name, secret.Reveal());
    }
    for (const std::string& path : header.files) {
      MLALERT_ASSIGN(std::string value, TextOrFile("", path, fmt::format("http header {}", header.name)));
      out.emplace_back(header.name, std::move(value));
    }
  }
  return out;
}

Result<std::string> OAuth2Secret(const OAuth2& oauth2) {
  if (UsesAssertion(oauth2)) {
    return TextOrFile(oauth2.client_certificate_key.Reveal(), oauth2.client_certificate_key_file,
                      "oauth2 client certificate key");
  }
  return TextOrFile(oauth2.client_secret.Reveal(), oauth2.client_secret_file, "oauth2 client secret");
}

Result<TlsMaterial> LoadTlsMaterial(const TlsConfig& config) {
  TlsMaterial out;
  MLALERT_ASSIGN(out.ca, TextOrFile(config.ca, config.ca_file, "CA cert"));
  MLALERT_ASSIGN(out.cert, TextOrFile(config.cert, config.cert_file, "client cert"));
  MLALERT_ASSIGN(out.key, TextOrFile(config.key.Reveal(), config.key_file, "client key"));
  // Empty trust would mean the system's: that must never happen by an emptied file.
  if (out.ca.empty() && !config.ca_file.empty()) {
    return Fail(ErrorCode::kIo, fmt::format("unable to read CA cert: file {} is empty", config.ca_file));
  }
  return out;
}

}  // namespace mlalert
