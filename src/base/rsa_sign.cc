#include "base/rsa_sign.h"

#include <memory>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

namespace mlalert {
namespace {

template <auto kFree>
struct Freer {
  template <class T>
  void operator()(T* pointer) const {
    kFree(pointer);
  }
};
using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Digest = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX_free>>;

// OpenSSL would ask on the terminal.
int NoPassphrase(char*, int, int, void*) {
  return 0;
}

const EVP_MD* DigestOf(RsaHash hash) {
  switch (hash) {
    case RsaHash::kSha256:
      return EVP_sha256();
    case RsaHash::kSha384:
      return EVP_sha384();
    case RsaHash::kSha512:
      return EVP_sha512();
  }
  return EVP_sha256();
}

}  // namespace

Result<std::string> RsaSign(std::string_view private_key_pem, RsaHash hash, std::string_view bytes) {
  const Bio bio(BIO_new_mem_buf(private_key_pem.data(), static_cast<int>(private_key_pem.size())));
  const Key key(bio != nullptr ? PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassphrase, nullptr)
                               : nullptr);
  ERR_clear_error();
  if (key == nullptr || EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA) {
    return Fail(ErrorCode::kInvalid, "not an RSA private key in PEM without a passphrase");
  }
  const Digest digest(EVP_MD_CTX_new());
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  size_t size = 0;
  std::string signature;
  bool ok = digest != nullptr &&
            EVP_DigestSignInit(digest.get(), nullptr, DigestOf(hash), nullptr, key.get()) == 1 &&
            EVP_DigestSign(digest.get(), nullptr, &size, data, bytes.size()) == 1;
  if (ok) {
    signature.resize(size);
    ok = EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, data,
                        bytes.size()) == 1;
    signature.resize(size);
  }
  ERR_clear_error();
  if (!ok) {
    return Fail(ErrorCode::kInvalid, "cannot sign with the private key");
  }
  return signature;
}

}  // namespace mlalert
