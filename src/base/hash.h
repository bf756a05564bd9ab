// Hashes. FNV-1a is Alertmanager's identity on the wire; SHA-256 its group key hash and our signatures.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mlalert {

// FNV-1a, 64 bit (prometheus/common model/signature.go uses it for fingerprints).
inline constexpr uint64_t kFnvOffset = 14695981039346656037ULL;
inline constexpr uint64_t kFnvPrime = 1099511628211ULL;

inline uint64_t FnvAdd(uint64_t h, std::string_view bytes) {
  for (char c : bytes) {
    h = (h ^ static_cast<unsigned char>(c)) * kFnvPrime;
  }
  return h;
}
inline uint64_t FnvAdd(uint64_t h, unsigned char byte) {
  return (h ^ byte) * kFnvPrime;
}

// XXH64: Prometheus spreads group slots with it (labels.Hash), Alertmanager's nflog stores it.
uint64_t XxHash64(std::string_view bytes, uint64_t seed = 0);

// Lower-case hex.
std::string Sha256Hex(std::string_view bytes);
std::string HmacSha256Hex(std::string_view key, std::string_view bytes);
// The 32 bytes themselves.
std::string HmacSha256(std::string_view key, std::string_view bytes);
// For SMTP's CRAM-MD5, which has no other hash.
std::string HmacMd5Hex(std::string_view key, std::string_view bytes);
// 16 lower-case hex digits, zero padded: how Alertmanager prints fingerprints.
std::string Hex16(uint64_t value);
// Compares without leaking where the first difference is.
bool ConstantTimeEquals(std::string_view a, std::string_view b);

}  // namespace mlalert
