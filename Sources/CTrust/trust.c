#include "CTrust.h"

#include <dlfcn.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

// What is used of libcrypto. Macros of the headers that stand for functions are not among them.
#define HF_FUNCTIONS(FUNCTION)                                                                                         \
    FUNCTION(EVP_MD_CTX_new)                                                                                           \
    FUNCTION(EVP_MD_CTX_free)                                                                                          \
    FUNCTION(EVP_sha256)                                                                                               \
    FUNCTION(EVP_DigestInit_ex)                                                                                        \
    FUNCTION(EVP_DigestUpdate)                                                                                         \
    FUNCTION(EVP_DigestFinal_ex)                                                                                       \
    FUNCTION(EVP_DigestVerifyInit)                                                                                     \
    FUNCTION(EVP_DigestVerify)                                                                                         \
    FUNCTION(EVP_DigestSignInit)                                                                                       \
    FUNCTION(EVP_DigestSign)                                                                                           \
    FUNCTION(EVP_PKEY_new_raw_public_key)                                                                              \
    FUNCTION(EVP_PKEY_get_raw_public_key)                                                                              \
    FUNCTION(EVP_PKEY_CTX_new_id)                                                                                      \
    FUNCTION(EVP_PKEY_CTX_free)                                                                                        \
    FUNCTION(EVP_PKEY_keygen_init)                                                                                     \
    FUNCTION(EVP_PKEY_keygen)                                                                                          \
    FUNCTION(EVP_PKEY_get_id)                                                                                          \
    FUNCTION(EVP_PKEY_free)                                                                                            \
    FUNCTION(EVP_PKEY2PKCS8)                                                                                           \
    FUNCTION(EVP_aes_256_cbc)                                                                                          \
    FUNCTION(PKCS8_encrypt)                                                                                            \
    FUNCTION(PKCS8_PRIV_KEY_INFO_free)                                                                                 \
    FUNCTION(X509_SIG_free)                                                                                            \
    FUNCTION(PEM_read_bio_PrivateKey)                                                                                  \
    FUNCTION(PEM_write_bio_PrivateKey)                                                                                 \
    FUNCTION(PEM_write_bio_PKCS8)                                                                                      \
    FUNCTION(BIO_new)                                                                                                  \
    FUNCTION(BIO_new_mem_buf)                                                                                          \
    FUNCTION(BIO_s_secmem)                                                                                             \
    FUNCTION(BIO_read)                                                                                                 \
    FUNCTION(BIO_free)                                                                                                 \
    FUNCTION(ERR_clear_error)

#define HF_MEMBER(name) __typeof__(name) *name;
#define HF_SYMBOL(name) {#name, (void **)&crypto.name},

static struct { HF_FUNCTIONS(HF_MEMBER) } crypto;
static int is_loaded;

int hf_trust_load(char *problem, size_t size) {
    // POSIX has dlsym(3) give functions as object pointers.
    const struct {
        const char *name;
        void **place;
    } symbols[] = {HF_FUNCTIONS(HF_SYMBOL)};
    if (is_loaded) return 0;
    void *handle = dlopen("libcrypto.so.3", RTLD_LAZY | RTLD_LOCAL);
    if (!handle) {
        snprintf(problem, size, "libcrypto.so.3 cannot be loaded (%s); install the package libssl3", dlerror());
        return -1;
    }
    for (size_t index = 0; index < sizeof symbols / sizeof *symbols; index++) {
        *symbols[index].place = dlsym(handle, symbols[index].name);
        if (*symbols[index].place) continue;
        snprintf(problem, size, "libcrypto.so.3 has no %s; a newer one is needed", symbols[index].name);
        return -1;
    }
    is_loaded = 1;
    return 0;
}

// MARK: SHA-256

// A struct hf_digest is an EVP_MD_CTX.
static EVP_MD_CTX *context_of(struct hf_digest *digest) { return (EVP_MD_CTX *)digest; }

struct hf_digest *hf_digest_begin(void) {
    EVP_MD_CTX *context = crypto.EVP_MD_CTX_new();
    if (context && crypto.EVP_DigestInit_ex(context, crypto.EVP_sha256(), NULL) == 1) return (struct hf_digest *)context;
    crypto.EVP_MD_CTX_free(context);
    return NULL;
}

int hf_digest_add(struct hf_digest *digest, const void *bytes, size_t size) {
    return size == 0 || crypto.EVP_DigestUpdate(context_of(digest), bytes, size) == 1 ? 0 : -1;
}

int hf_digest_end(struct hf_digest *digest, uint8_t out[32]) {
    unsigned length = 0;
    if (crypto.EVP_DigestFinal_ex(context_of(digest), out, &length) != 1 || length != 32) return -1;
    return crypto.EVP_DigestInit_ex(context_of(digest), crypto.EVP_sha256(), NULL) == 1 ? 0 : -1;
}

void hf_digest_free(struct hf_digest *digest) { crypto.EVP_MD_CTX_free(context_of(digest)); }

// MARK: Ed25519

// A struct hf_ed25519 is an EVP_PKEY.
static EVP_PKEY *key_of(const struct hf_ed25519 *key) { return (EVP_PKEY *)key; }

int hf_ed25519_verify(const uint8_t key[32], const uint8_t signature[64], const uint8_t *bytes, size_t size) {
    EVP_PKEY *public = crypto.EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, 32);
    EVP_MD_CTX *context = crypto.EVP_MD_CTX_new();
    int is_good = public && context && crypto.EVP_DigestVerifyInit(context, NULL, NULL, NULL, public) == 1 &&
                  crypto.EVP_DigestVerify(context, signature, 64, bytes, size) == 1;
    crypto.EVP_MD_CTX_free(context);
    crypto.EVP_PKEY_free(public);
    // A bad signature leaves a note in the thread's queue of errors.
    crypto.ERR_clear_error();
    return is_good;
}

struct hf_ed25519 *hf_ed25519_generate(void) {
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = crypto.EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, NULL);
    if (!context) return NULL;
    if (crypto.EVP_PKEY_keygen_init(context) != 1 || crypto.EVP_PKEY_keygen(context, &key) != 1) key = NULL;
    crypto.EVP_PKEY_CTX_free(context);
    return (struct hf_ed25519 *)key;
}

struct passphrase {
    const char *text;
    int was_asked;
};

// pem_password_cb: OpenSSL would ask the terminal otherwise.
static int give_passphrase(char *buffer, int size, int writes, void *argument) {
    struct passphrase *passphrase = argument;
    (void)writes;
    passphrase->was_asked = 1;
    if (!passphrase->text) return -1;
    size_t length = strlen(passphrase->text);
    if (length > (size_t)size) return -1;
    memcpy(buffer, passphrase->text, length);
    return (int)length;
}

struct hf_ed25519 *hf_ed25519_parse(const char *pem, size_t size, const char *passphrase, int *wants_passphrase) {
    struct passphrase given = {.text = passphrase};
    BIO *bytes = crypto.BIO_new_mem_buf(pem, (int)size);
    if (!bytes) return NULL;
    EVP_PKEY *key = crypto.PEM_read_bio_PrivateKey(bytes, NULL, give_passphrase, &given);
    crypto.BIO_free(bytes);
    crypto.ERR_clear_error();
    *wants_passphrase = given.was_asked;
    if (key && crypto.EVP_PKEY_get_id(key) != EVP_PKEY_ED25519) {
        crypto.EVP_PKEY_free(key);
        key = NULL;
    }
    return (struct hf_ed25519 *)key;
}

// PEM_write_bio_PKCS8PrivateKey would do with 2048 rounds.
static int write_encrypted(BIO *bytes, EVP_PKEY *key, const char *passphrase, int rounds) {
    PKCS8_PRIV_KEY_INFO *plain = crypto.EVP_PKEY2PKCS8(key);
    if (!plain) return 0;
    X509_SIG *encrypted = crypto.PKCS8_encrypt(-1, crypto.EVP_aes_256_cbc(), passphrase, (int)strlen(passphrase), NULL, 0,
                                               rounds, plain);
    crypto.PKCS8_PRIV_KEY_INFO_free(plain);
    int is_written = encrypted && crypto.PEM_write_bio_PKCS8(bytes, encrypted) == 1;
    crypto.X509_SIG_free(encrypted);
    return is_written;
}

size_t hf_ed25519_text(const struct hf_ed25519 *key, const char *passphrase, int rounds, char *pem, size_t size) {
    // Cleared when it is freed.
    BIO *bytes = crypto.BIO_new(crypto.BIO_s_secmem());
    int count = -1;
    if (!bytes) return 0;
    int is_written = passphrase ? write_encrypted(bytes, key_of(key), passphrase, rounds)
                                : crypto.PEM_write_bio_PrivateKey(bytes, key_of(key), NULL, NULL, 0, NULL, NULL) == 1;
    if (is_written) count = crypto.BIO_read(bytes, pem, (int)size);
    crypto.BIO_free(bytes);
    return count > 0 && (size_t)count < size ? (size_t)count : 0;
}

int hf_ed25519_public(const struct hf_ed25519 *key, uint8_t out[32]) {
    size_t size = 32;
    return crypto.EVP_PKEY_get_raw_public_key(key_of(key), out, &size) == 1 && size == 32 ? 0 : -1;
}

int hf_ed25519_sign(const struct hf_ed25519 *key, const uint8_t *bytes, size_t size, uint8_t signature[64]) {
    size_t length = 64;
    EVP_MD_CTX *context = crypto.EVP_MD_CTX_new();
    if (!context) return -1;
    int is_done = crypto.EVP_DigestSignInit(context, NULL, NULL, NULL, key_of(key)) == 1 &&
                  crypto.EVP_DigestSign(context, signature, &length, bytes, size) == 1 && length == 64;
    crypto.EVP_MD_CTX_free(context);
    return is_done ? 0 : -1;
}

void hf_ed25519_free(struct hf_ed25519 *key) { crypto.EVP_PKEY_free(key_of(key)); }
