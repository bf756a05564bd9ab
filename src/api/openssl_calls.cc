// The functions of OpenSSL that api/ calls: see base/openssl_loader.h.
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/openssl_loader.h"

MLALERT_OPENSSL_CALL(const unsigned char*, ASN1_STRING_get0_data, (const ASN1_STRING* x), (x))
MLALERT_OPENSSL_CALL(int, ASN1_STRING_length, (const ASN1_STRING* x), (x))
MLALERT_OPENSSL_CALL(int, BIO_free, (BIO * a), (a))
MLALERT_OPENSSL_CALL(BIO*, BIO_new_mem_buf, (const void* buf, int len), (buf, len))
MLALERT_OPENSSL_CALL(void, ERR_clear_error, (), ())
MLALERT_OPENSSL_CALL(unsigned long, ERR_peek_last_error, (), ())
MLALERT_OPENSSL_CALL(const char*, ERR_reason_error_string, (unsigned long e), (e))
MLALERT_OPENSSL_CALL(void, EVP_PKEY_free, (EVP_PKEY * pkey), (pkey))
MLALERT_OPENSSL_CALL(void, GENERAL_NAMES_free, (GENERAL_NAMES * a), (a))
MLALERT_OPENSSL_CALL(int, OPENSSL_sk_num, (const OPENSSL_STACK* p0), (p0))
MLALERT_OPENSSL_CALL(void*, OPENSSL_sk_value, (const OPENSSL_STACK* p0, int p1), (p0, p1))
MLALERT_OPENSSL_CALL(EVP_PKEY*, PEM_read_bio_PrivateKey,
                     (BIO * out, EVP_PKEY** x, pem_password_cb* cb, void* u), (out, x, cb, u))
MLALERT_OPENSSL_CALL(X509*, PEM_read_bio_X509, (BIO * out, X509** x, pem_password_cb* cb, void* u),
                     (out, x, cb, u))
MLALERT_OPENSSL_CALL(int, SSL_CTX_add_client_CA, (SSL_CTX * ctx, X509* x), (ctx, x))
MLALERT_OPENSSL_CALL(int, SSL_CTX_check_private_key, (const SSL_CTX* ctx), (ctx))
MLALERT_OPENSSL_CALL(long, SSL_CTX_ctrl, (SSL_CTX * ctx, int cmd, long larg, void* parg),
                     (ctx, cmd, larg, parg))
MLALERT_OPENSSL_CALL(void, SSL_CTX_free, (SSL_CTX * p0), (p0))
MLALERT_OPENSSL_CALL(X509_STORE*, SSL_CTX_get_cert_store, (const SSL_CTX* p0), (p0))
MLALERT_OPENSSL_CALL(void*, SSL_CTX_get_ex_data, (const SSL_CTX* ssl, int idx), (ssl, idx))
MLALERT_OPENSSL_CALL(SSL_CTX*, SSL_CTX_new, (const SSL_METHOD* meth), (meth))
MLALERT_OPENSSL_CALL(void, SSL_CTX_set_alpn_select_cb,
                     (SSL_CTX * ctx, SSL_CTX_alpn_select_cb_func cb, void* arg), (ctx, cb, arg))
MLALERT_OPENSSL_CALL(int, SSL_CTX_set_cipher_list, (SSL_CTX * p0, const char* str), (p0, str))
MLALERT_OPENSSL_CALL(int, SSL_CTX_set_default_verify_paths, (SSL_CTX * ctx), (ctx))
MLALERT_OPENSSL_CALL(int, SSL_CTX_set_ex_data, (SSL_CTX * ssl, int idx, void* data), (ssl, idx, data))
MLALERT_OPENSSL_CALL(uint64_t, SSL_CTX_set_options, (SSL_CTX * ctx, uint64_t op), (ctx, op))
MLALERT_OPENSSL_CALL(int, SSL_CTX_set_session_id_context,
                     (SSL_CTX * ctx, const unsigned char* sid_ctx, unsigned int sid_ctx_len),
                     (ctx, sid_ctx, sid_ctx_len))
MLALERT_OPENSSL_CALL(void, SSL_CTX_set_verify, (SSL_CTX * ctx, int mode, SSL_verify_cb callback),
                     (ctx, mode, callback))
MLALERT_OPENSSL_CALL(int, SSL_CTX_use_PrivateKey, (SSL_CTX * ctx, EVP_PKEY* pkey), (ctx, pkey))
MLALERT_OPENSSL_CALL(int, SSL_CTX_use_certificate, (SSL_CTX * ctx, X509* x), (ctx, x))
MLALERT_OPENSSL_CALL(int, SSL_accept, (SSL * ssl), (ssl))
MLALERT_OPENSSL_CALL(void, SSL_free, (SSL * ssl), (ssl))
MLALERT_OPENSSL_CALL(SSL_CTX*, SSL_get_SSL_CTX, (const SSL* ssl), (ssl))
MLALERT_OPENSSL_CALL(int, SSL_get_error, (const SSL* s, int ret_code), (s, ret_code))
MLALERT_OPENSSL_CALL(int, SSL_get_ex_data_X509_STORE_CTX_idx, (), ())
MLALERT_OPENSSL_CALL(SSL*, SSL_new, (SSL_CTX * ctx), (ctx))
MLALERT_OPENSSL_CALL(int, SSL_read, (SSL * ssl, void* buf, int num), (ssl, buf, num))
MLALERT_OPENSSL_CALL(int, SSL_select_next_proto,
                     (unsigned char** out, unsigned char* outlen, const unsigned char* in, unsigned int inlen,
                      const unsigned char* client, unsigned int client_len),
                     (out, outlen, in, inlen, client, client_len))
MLALERT_OPENSSL_CALL(void, SSL_set_accept_state, (SSL * s), (s))
MLALERT_OPENSSL_CALL(int, SSL_set_fd, (SSL * s, int fd), (s, fd))
MLALERT_OPENSSL_CALL(int, SSL_shutdown, (SSL * s), (s))
MLALERT_OPENSSL_CALL(int, SSL_write, (SSL * ssl, const void* buf, int num), (ssl, buf, num))
MLALERT_OPENSSL_CALL(const SSL_METHOD*, TLS_server_method, (), ())
MLALERT_OPENSSL_CALL(X509*, X509_STORE_CTX_get_current_cert, (const X509_STORE_CTX* ctx), (ctx))
MLALERT_OPENSSL_CALL(int, X509_STORE_CTX_get_error_depth, (const X509_STORE_CTX* ctx), (ctx))
MLALERT_OPENSSL_CALL(void*, X509_STORE_CTX_get_ex_data, (const X509_STORE_CTX* ctx, int idx), (ctx, idx))
MLALERT_OPENSSL_CALL(void, X509_STORE_CTX_set_error, (X509_STORE_CTX * ctx, int s), (ctx, s))
MLALERT_OPENSSL_CALL(int, X509_STORE_add_cert, (X509_STORE * ctx, X509* x), (ctx, x))
MLALERT_OPENSSL_CALL(int, X509_STORE_set_flags, (X509_STORE * ctx, unsigned long flags), (ctx, flags))
MLALERT_OPENSSL_CALL(void, X509_free, (X509 * a), (a))
MLALERT_OPENSSL_CALL(void*, X509_get_ext_d2i, (const X509* x, int nid, int* crit, int* idx),
                     (x, nid, crit, idx))
