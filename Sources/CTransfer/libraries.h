#pragma once
#include <curl/curl.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <zlib.h>

// What is used of each library: FUNCTION(name) for each. Macros of the headers that stand for functions are not among them.

#define HF_CURL_FUNCTIONS(FUNCTION)                                                                                    \
    FUNCTION(curl_global_init)                                                                                         \
    FUNCTION(curl_version_info)                                                                                        \
    FUNCTION(curl_easy_init)                                                                                           \
    FUNCTION(curl_easy_setopt)                                                                                         \
    FUNCTION(curl_easy_getinfo)                                                                                        \
    FUNCTION(curl_easy_pause)                                                                                          \
    FUNCTION(curl_easy_cleanup)                                                                                        \
    FUNCTION(curl_easy_strerror)                                                                                       \
    FUNCTION(curl_slist_append)                                                                                        \
    FUNCTION(curl_slist_free_all)                                                                                      \
    FUNCTION(curl_multi_init)                                                                                          \
    FUNCTION(curl_multi_setopt)                                                                                        \
    FUNCTION(curl_multi_add_handle)                                                                                    \
    FUNCTION(curl_multi_remove_handle)                                                                                 \
    FUNCTION(curl_multi_socket_action)                                                                                 \
    FUNCTION(curl_multi_info_read)                                                                                     \
    FUNCTION(curl_multi_cleanup)                                                                                       \
    FUNCTION(curl_share_init)                                                                                          \
    FUNCTION(curl_share_setopt)                                                                                        \
    FUNCTION(curl_share_cleanup)

#define HF_CRYPTO_FUNCTIONS(FUNCTION)                                                                                  \
    FUNCTION(EVP_PKEY_CTX_new_id)                                                                                      \
    FUNCTION(EVP_PKEY_CTX_free)                                                                                        \
    FUNCTION(EVP_PKEY_keygen_init)                                                                                     \
    FUNCTION(EVP_PKEY_keygen)                                                                                          \
    FUNCTION(EVP_PKEY_free)                                                                                            \
    FUNCTION(EVP_PKEY_get_id)                                                                                          \
    FUNCTION(EVP_PKEY_get_raw_public_key)                                                                              \
    FUNCTION(EVP_MD_CTX_new)                                                                                           \
    FUNCTION(EVP_MD_CTX_free)                                                                                          \
    FUNCTION(EVP_DigestSignInit)                                                                                       \
    FUNCTION(EVP_DigestSign)                                                                                           \
    FUNCTION(EVP_Digest)                                                                                               \
    FUNCTION(EVP_sha256)                                                                                               \
    FUNCTION(BIO_new)                                                                                                  \
    FUNCTION(BIO_new_mem_buf)                                                                                          \
    FUNCTION(BIO_s_secmem)                                                                                             \
    FUNCTION(BIO_read)                                                                                                 \
    FUNCTION(BIO_free)                                                                                                 \
    FUNCTION(PEM_read_bio_PrivateKey)                                                                                  \
    FUNCTION(PEM_write_bio_PrivateKey)                                                                                 \
    FUNCTION(OPENSSL_sk_num)                                                                                           \
    FUNCTION(OPENSSL_sk_value)                                                                                         \
    FUNCTION(X509_get_X509_PUBKEY)                                                                                     \
    FUNCTION(X509_PUBKEY_it)                                                                                           \
    FUNCTION(ASN1_item_i2d)                                                                                            \
    FUNCTION(CRYPTO_free)                                                                                              \
    FUNCTION(X509_STORE_new)                                                                                           \
    FUNCTION(X509_STORE_free)                                                                                          \
    FUNCTION(X509_STORE_add_cert)                                                                                      \
    FUNCTION(X509_STORE_CTX_new)                                                                                       \
    FUNCTION(X509_STORE_CTX_free)                                                                                      \
    FUNCTION(X509_STORE_CTX_init)                                                                                      \
    FUNCTION(X509_STORE_CTX_set_default)                                                                               \
    FUNCTION(X509_STORE_CTX_get0_param)                                                                                \
    FUNCTION(X509_STORE_CTX_get0_cert)                                                                                 \
    FUNCTION(X509_STORE_CTX_get0_untrusted)                                                                            \
    FUNCTION(X509_STORE_CTX_get_error)                                                                                 \
    FUNCTION(X509_STORE_CTX_set_error)                                                                                 \
    FUNCTION(X509_VERIFY_PARAM_set_flags)                                                                              \
    FUNCTION(X509_VERIFY_PARAM_set_hostflags)                                                                          \
    FUNCTION(X509_VERIFY_PARAM_set1_host)                                                                              \
    FUNCTION(X509_VERIFY_PARAM_set1_ip_asc)                                                                            \
    FUNCTION(X509_VERIFY_PARAM_set_auth_level)                                                                         \
    FUNCTION(X509_verify_cert)

#define HF_SSL_FUNCTIONS(FUNCTION)                                                                                     \
    FUNCTION(SSL_CTX_set_cert_verify_callback)                                                                         \
    FUNCTION(SSL_CTX_ctrl)

#define HF_ZLIB_FUNCTIONS(FUNCTION)                                                                                    \
    FUNCTION(deflateInit2_)                                                                                            \
    FUNCTION(deflate)                                                                                                  \
    FUNCTION(deflateEnd)

#define HF_MEMBER(name) __typeof__(name) *p_##name;

/// The functions, once the libraries are open.
extern struct hf_libraries {
    HF_CURL_FUNCTIONS(HF_MEMBER)
    HF_CRYPTO_FUNCTIONS(HF_MEMBER)
    HF_SSL_FUNCTIONS(HF_MEMBER)
    HF_ZLIB_FUNCTIONS(HF_MEMBER)
} hf_libraries;

/// Calls a function of the libraries.
#define CALL(name) (*hf_libraries.p_##name)

/// The check of central's certificate (SSL_CTX_set_cert_verify_callback(3)); `argument` is a struct hf_trust.
int hf_verify(X509_STORE_CTX *context, void *argument);
