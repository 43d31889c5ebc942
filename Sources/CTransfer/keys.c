#include "libraries.h"
#include "CTransfer.h"

#include <stdlib.h>
#include <string.h>

// A struct hf_key is an EVP_PKEY of OpenSSL.

static EVP_PKEY *unwrap(const struct hf_key *key) { return (EVP_PKEY *)key; }

struct hf_key *hf_key_generate(void) {
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = CALL(EVP_PKEY_CTX_new_id)(EVP_PKEY_ED25519, NULL);
    if (!context) return NULL;
    if (CALL(EVP_PKEY_keygen_init)(context) != 1 || CALL(EVP_PKEY_keygen)(context, &key) != 1) key = NULL;
    CALL(EVP_PKEY_CTX_free)(context);
    return (struct hf_key *)key;
}

// Nobody is there to type one.
static int no_passphrase(char *buffer, int size, int writes, void *context) {
    (void)buffer, (void)size, (void)writes, (void)context;
    return -1;
}

struct hf_key *hf_key_parse(const char *pem, size_t size) {
    BIO *bytes = CALL(BIO_new_mem_buf)(pem, (int)size);
    if (!bytes) return NULL;
    EVP_PKEY *key = CALL(PEM_read_bio_PrivateKey)(bytes, NULL, no_passphrase, NULL);
    CALL(BIO_free)(bytes);
    if (key && CALL(EVP_PKEY_get_id)(key) != EVP_PKEY_ED25519) {
        CALL(EVP_PKEY_free)(key);
        key = NULL;
    }
    return (struct hf_key *)key;
}

size_t hf_key_text(const struct hf_key *key, char *pem, size_t size) {
    // Cleared when it is freed.
    BIO *bytes = CALL(BIO_new)(CALL(BIO_s_secmem)());
    int count = -1;
    if (!bytes) return 0;
    if (CALL(PEM_write_bio_PrivateKey)(bytes, unwrap(key), NULL, NULL, 0, NULL, NULL) == 1)
        count = CALL(BIO_read)(bytes, pem, (int)size);
    CALL(BIO_free)(bytes);
    return count > 0 && (size_t)count < size ? (size_t)count : 0;
}

int hf_key_public(const struct hf_key *key, uint8_t out[32]) {
    size_t size = 32;
    return CALL(EVP_PKEY_get_raw_public_key)(unwrap(key), out, &size) == 1 && size == 32 ? 0 : -1;
}

int hf_key_sign(const struct hf_key *key, const uint8_t *bytes, size_t size, uint8_t signature[64]) {
    size_t length = 64;
    EVP_MD_CTX *context = CALL(EVP_MD_CTX_new)();
    if (!context) return -1;
    int is_done = CALL(EVP_DigestSignInit)(context, NULL, NULL, NULL, unwrap(key)) == 1 &&
                  CALL(EVP_DigestSign)(context, signature, &length, bytes, size) == 1 && length == 64;
    CALL(EVP_MD_CTX_free)(context);
    return is_done ? 0 : -1;
}

void hf_key_free(struct hf_key *key) { CALL(EVP_PKEY_free)(unwrap(key)); }

int hf_sha256(const void *bytes, size_t size, uint8_t digest[32]) {
    return CALL(EVP_Digest)(bytes ? bytes : "", size, digest, NULL, CALL(EVP_sha256)(), NULL) == 1 ? 0 : -1;
}

// MARK: Compression

struct hf_gzip {
    z_stream stream;
    uint8_t *bytes;
    size_t capacity;
};

struct hf_gzip *hf_gzip_begin(void) {
    struct hf_gzip *gzip = calloc(1, sizeof *gzip);
    if (!gzip) return NULL;
    // 16 more than the window's bits asks for gzip's header. A window of 16 KiB costs 1 % of size and saves half the memory.
    if (CALL(deflateInit2_)(&gzip->stream, 6, Z_DEFLATED, 14 + 16, 7, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                            (int)sizeof gzip->stream) != Z_OK) {
        free(gzip);
        return NULL;
    }
    return gzip;
}

static int run(struct hf_gzip *gzip, int flush) {
    while (1) {
        size_t used = gzip->stream.total_out;
        if (gzip->capacity - used < 4096) {
            size_t capacity = gzip->capacity * 2 + 16384;
            uint8_t *bytes = realloc(gzip->bytes, capacity);
            if (!bytes) return -1;
            gzip->bytes = bytes;
            gzip->capacity = capacity;
        }
        gzip->stream.next_out = gzip->bytes + used;
        gzip->stream.avail_out = (unsigned)(gzip->capacity - used);
        int status = CALL(deflate)(&gzip->stream, flush);
        if (status == Z_STREAM_END) return 0;
        if (status != Z_OK && status != Z_BUF_ERROR) return -1;
        if (gzip->stream.avail_out > 0 && flush != Z_FINISH) return 0;
    }
}

int hf_gzip_add(struct hf_gzip *gzip, const void *bytes, size_t size) {
    if (size == 0) return 0;
    gzip->stream.next_in = (Bytef *)(uintptr_t)bytes;
    gzip->stream.avail_in = (unsigned)size;
    return run(gzip, Z_NO_FLUSH);
}

const uint8_t *hf_gzip_end(struct hf_gzip *gzip, size_t *size) {
    if (run(gzip, Z_FINISH)) return NULL;
    *size = gzip->stream.total_out;
    return gzip->bytes;
}

void hf_gzip_free(struct hf_gzip *gzip) {
    CALL(deflateEnd)(&gzip->stream);
    free(gzip->bytes);
    free(gzip);
}
