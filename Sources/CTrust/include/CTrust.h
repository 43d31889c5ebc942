#pragma once
#include <stddef.h>
#include <stdint.h>

// Signatures, hashes and key files by OpenSSL 3 as the device has it. Opened with dlopen(3) by whoever checks or signs something:
// the resident processes are the same binary, and do without. No policy lives here.

#pragma clang assume_nonnull begin

/// Opens libcrypto: 0, or -1 with what is missing, for a person, in `problem`. Again after a success it does nothing.
int hf_trust_load(char *problem, size_t size);

// MARK: SHA-256

struct hf_digest;

/// Null when there is no memory.
struct hf_digest *_Nullable hf_digest_begin(void);
/// 0, or -1.
int hf_digest_add(struct hf_digest *digest, const void *_Nullable bytes, size_t size);
/// Ends it, after which it begins anew: 0, or -1.
int hf_digest_end(struct hf_digest *digest, uint8_t out[_Nonnull 32]);
void hf_digest_free(struct hf_digest *digest);

// MARK: Ed25519 (RFC 8032)

/// Whether the 64 bytes are the signature of a 32-byte key: 1, or 0.
int hf_ed25519_verify(const uint8_t key[_Nonnull 32], const uint8_t signature[_Nonnull 64], const uint8_t *bytes,
                      size_t size);

/// A private key.
struct hf_ed25519;

struct hf_ed25519 *_Nullable hf_ed25519_generate(void);
/// From PEM (PKCS #8, RFC 5208; encrypted or not). Null when it is no such key, or does not open; `wants_passphrase` says
/// whether it is encrypted.
struct hf_ed25519 *_Nullable hf_ed25519_parse(const char *pem, size_t size, const char *_Nullable passphrase,
                                              int *wants_passphrase);
/// As PEM; how many bytes it has, or 0 when that fails. Without a passphrase it is not encrypted; with one, by AES-256-CBC and
/// PBKDF2 (RFC 8018) of so many rounds.
size_t hf_ed25519_text(const struct hf_ed25519 *key, const char *_Nullable passphrase, int rounds, char *pem, size_t size);
/// 0, or -1.
int hf_ed25519_public(const struct hf_ed25519 *key, uint8_t out[_Nonnull 32]);
/// 0, or -1.
int hf_ed25519_sign(const struct hf_ed25519 *key, const uint8_t *bytes, size_t size, uint8_t signature[_Nonnull 64]);
void hf_ed25519_free(struct hf_ed25519 *key);

#pragma clang assume_nonnull end
