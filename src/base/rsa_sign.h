// Signatures of JSON Web Tokens: RSASSA-PKCS1-v1_5 over SHA-2, which the tokens call RS256, RS384 and RS512.
// Used by: net/oauth2. Nothing is kept; an error never holds anything of the key. Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mlalert {

enum class RsaHash : uint8_t { kSha256, kSha384, kSha512 };

// The signature's bytes. `private_key_pem`: PKCS #1 or #8, without a passphrase. kInvalid: it is no such key.
Result<std::string> RsaSign(std::string_view private_key_pem, RsaHash hash, std::string_view bytes);

}  // namespace mlalert
