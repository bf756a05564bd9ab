// MD5, SHA-1 and SHA-256, where others ask for them: fingerprints of configurations, signatures of webhooks,
// relabeling's hashmod. Checked against the vectors of RFC 1321, RFC 3174, FIPS 180-4 and RFC 2202, 4231.
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mlalert {

enum class Digest : uint8_t { kMd5, kSha1, kSha256 };

// The bytes themselves: 16, 20 or 32.
std::string DigestOf(Digest kind, std::string_view bytes);
std::string HmacOf(Digest kind, std::string_view key, std::string_view bytes);

}  // namespace mlalert
