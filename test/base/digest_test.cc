// Vectors of RFC 1321, RFC 3174, FIPS 180-4, RFC 2202 and RFC 4231.
#include "base/digest.h"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/hash.h"

namespace mlalert {
namespace {

std::string Hex(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) {
    out += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  }
  return out;
}

BOOST_AUTO_TEST_SUITE(digest)

BOOST_AUTO_TEST_CASE(of_known_texts) {
  BOOST_TEST(Hex(DigestOf(Digest::kMd5, "")) == "d41d8cd98f00b204e9800998ecf8427e");
  BOOST_TEST(Hex(DigestOf(Digest::kMd5, "message digest")) == "f96b697d7cb7938d525a2f31aaf161d0");
  BOOST_TEST(Hex(DigestOf(Digest::kSha1, "abc")) == "a9993e364706816aba3e25717850c26c9cd0d89d");
  BOOST_TEST(Hex(DigestOf(Digest::kSha1, std::string(1000000, 'a'))) ==
             "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
  BOOST_TEST(Sha256Hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  BOOST_TEST(Sha256Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
             "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

BOOST_AUTO_TEST_CASE(with_keys) {
  BOOST_TEST(HmacMd5Hex("Jefe", "what do ya want for nothing?") == "750c783e6ab0b503eaa86e310a5db738");
  BOOST_TEST(Hex(HmacOf(Digest::kSha1, "Jefe", "what do ya want for nothing?")) ==
             "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  BOOST_TEST(
      HmacSha256Hex(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First") ==
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

// Every length around the blocks, against OpenSSL.
BOOST_AUTO_TEST_CASE(of_every_length_as_openssl_says) {
  const std::pair<Digest, const EVP_MD*> kinds[] = {
      {Digest::kMd5, EVP_md5()}, {Digest::kSha1, EVP_sha1()}, {Digest::kSha256, EVP_sha256()}};
  std::string text;
  for (size_t size = 0; size <= 260; ++size) {
    for (const auto& [ours, theirs] : kinds) {
      unsigned char wanted[EVP_MAX_MD_SIZE];
      unsigned bytes = 0;
      EVP_Digest(text.data(), text.size(), wanted, &bytes, theirs, nullptr);
      BOOST_TEST(DigestOf(ours, text) == std::string(reinterpret_cast<char*>(wanted), bytes));
      HMAC(theirs, text.data(), static_cast<int>(text.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), wanted, &bytes);
      BOOST_TEST(HmacOf(ours, text, text) == std::string(reinterpret_cast<char*>(wanted), bytes));
    }
    text += static_cast<char>(size * 7 + 1);
  }
}

BOOST_AUTO_TEST_CASE(comparison_sees_every_byte) {
  BOOST_TEST(ConstantTimeEquals("", ""));
  BOOST_TEST(ConstantTimeEquals("abc", "abc"));
  for (const char* other : {"abd", "bbc", "ab", "abcd",
                            "a\xff"
                            "c"}) {
    BOOST_TEST(!ConstantTimeEquals("abc", other));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
