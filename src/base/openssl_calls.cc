// The functions of OpenSSL that base/ calls: see openssl_loader.h.
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/openssl_loader.h"

MLALERT_OPENSSL_CALL(int, BIO_free, (BIO * a), (a))
MLALERT_OPENSSL_CALL(BIO*, BIO_new_mem_buf, (const void* buf, int len), (buf, len))
MLALERT_OPENSSL_CALL(void, ERR_clear_error, (), ())
MLALERT_OPENSSL_CALL(int, EVP_DigestSign,
                     (EVP_MD_CTX * ctx, unsigned char* sigret, size_t* siglen, const unsigned char* tbs,
                      size_t tbslen),
                     (ctx, sigret, siglen, tbs, tbslen))
MLALERT_OPENSSL_CALL(int, EVP_DigestSignInit,
                     (EVP_MD_CTX * ctx, EVP_PKEY_CTX** pctx, const EVP_MD* type, ENGINE* e, EVP_PKEY* pkey),
                     (ctx, pctx, type, e, pkey))
MLALERT_OPENSSL_CALL(void, EVP_MD_CTX_free, (EVP_MD_CTX * ctx), (ctx))
MLALERT_OPENSSL_CALL(EVP_MD_CTX*, EVP_MD_CTX_new, (), ())
MLALERT_OPENSSL_CALL(void, EVP_PKEY_free, (EVP_PKEY * pkey), (pkey))
MLALERT_OPENSSL_CALL(int, EVP_PKEY_get_base_id, (const EVP_PKEY* pkey), (pkey))
MLALERT_OPENSSL_CALL(const EVP_MD*, EVP_sha256, (), ())
MLALERT_OPENSSL_CALL(const EVP_MD*, EVP_sha384, (), ())
MLALERT_OPENSSL_CALL(const EVP_MD*, EVP_sha512, (), ())
MLALERT_OPENSSL_CALL(EVP_PKEY*, PEM_read_bio_PrivateKey,
                     (BIO * out, EVP_PKEY** x, pem_password_cb* cb, void* u), (out, x, cb, u))
