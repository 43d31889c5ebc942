#include "signing.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void identity_make(struct identity *identity) {
    size_t size = sizeof identity->public_key;
    identity->key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    if (!identity->key || EVP_PKEY_get_raw_public_key(identity->key, identity->public_key, &size) != 1)
        fail("OpenSSL makes no Ed25519 key");
    memcpy(identity->id, "key:", 4);
    base64_write(true, identity->public_key, size, identity->id + 4);
}

void sha256(const void *data, size_t size, uint8_t digest[32]) {
    static EVP_MD *algorithm;
    static EVP_MD_CTX *context;
    if (!algorithm) {
        algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
        context = EVP_MD_CTX_new();
    }
    if (!context || EVP_DigestInit_ex2(context, algorithm, NULL) != 1 || EVP_DigestUpdate(context, data, size) != 1 ||
        EVP_DigestFinal_ex(context, digest, NULL) != 1)
        fail("OpenSSL makes no SHA-256");
}

void identity_sign(const struct identity *identity, const char *method, const char *target, const struct bytes *content,
                   struct bytes *head) {
    static struct bytes parameters, base;
    static EVP_MD_CTX *context;
    uint8_t random[16], digest[32], signature[64];
    char nonce[32], digest_text[48], signature_text[96];
    size_t size = sizeof signature;
    bool has_content = content && content->size > 0;
    if (RAND_bytes(random, sizeof random) != 1) fail("OpenSSL has no random bytes");
    base64_write(true, random, sizeof random, nonce);
    parameters.size = base.size = 0;
    bytes_print(&parameters,
                "(\"@method\" \"@path\" \"@query\"%s);created=%lld;nonce=\"%s\";keyid=\"%s\";alg=\"ed25519\";"
                "tag=\"holdfast\"",
                has_content ? " \"content-digest\"" : "", (long long)time(NULL), nonce, identity->id);
    const char *query = strchr(target, '?');
    bytes_print(&base, "\"@method\": %s\n\"@path\": %.*s\n\"@query\": %s\n", method,
                (int)(query ? query - target : (long)strlen(target)), target, query ? query : "?");
    if (has_content) {
        sha256(content->data, content->size, digest);
        base64_write(false, digest, sizeof digest, digest_text);
        bytes_print(&base, "\"content-digest\": sha-256=:%s:\n", digest_text);
        bytes_print(head, "Content-Digest: sha-256=:%s:\r\n", digest_text);
    }
    bytes_print(&base, "\"@signature-params\": %s", parameters.data);
    if (!context) context = EVP_MD_CTX_new();
    if (!context || EVP_MD_CTX_reset(context) != 1 ||
        EVP_DigestSignInit(context, NULL, NULL, NULL, identity->key) != 1 ||
        EVP_DigestSign(context, signature, &size, (const uint8_t *)base.data, base.size) != 1)
        fail("OpenSSL does not sign");
    base64_write(false, signature, size, signature_text);
    bytes_print(head, "Signature-Input: hf=%s\r\nSignature: hf=:%s:\r\n", parameters.data, signature_text);
}

uint32_t crc32c(const void *data, size_t size) {
    static uint32_t table[256];
    if (!table[1])
        for (uint32_t i = 0; i < 256; i++) {
            table[i] = i;
            for (int bit = 0; bit < 8; bit++) table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0x82f63b78 : 0);
        }
    uint32_t value = ~0u;
    for (const uint8_t *byte = data; size--; byte++) value = value >> 8 ^ table[(value ^ *byte) & 255];
    return ~value;
}
