// Keys, signatures (RFC 9421 as docs/fleet-protocol.md narrows it down) and checksums.
#pragma once
#include <openssl/evp.h>

#include "bytes.h"

struct identity {
    EVP_PKEY *key; // Ed25519
    uint8_t public_key[32];
    char id[64]; // the keyid: "key:..." until central has given an id
};

// A new key; the id becomes that of a device that has none yet.
void identity_make(struct identity *identity);
// Adds Content-Digest (with content), Signature-Input and Signature, each line with its end.
// `target` is the path with the query.
void identity_sign(const struct identity *identity, const char *method, const char *target, const struct bytes *content,
                   struct bytes *head);
void sha256(const void *data, size_t size, uint8_t digest[32]);
// CRC-32C (RFC 3720, B.4).
uint32_t crc32c(const void *data, size_t size);
