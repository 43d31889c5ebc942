#pragma once
#include <stddef.h>
#include <stdint.h>

// HTTPS, keys and compression for the uplink, by libcurl, OpenSSL 3 and zlib as the device has them. They are opened with
// dlopen(3) when there is a central to talk to: an uplink without one shares this binary and needs none of them. No policy
// lives here but the check of central's certificate, which OpenSSL asks for by a C function.

#pragma clang assume_nonnull begin

/// Opens the libraries: 0, or -1 with what is missing, for a person, in `problem`. Again after a success it does nothing.
int hf_transfer_load(char *problem, size_t size);

// MARK: Trust

#define HF_PINS_MAX 4

/// Whom to believe to be central.
struct hf_trust {
    /// SHA-256 of SubjectPublicKeyInfos.
    uint8_t pins[HF_PINS_MAX][32];
    int pin_count;
    /// Whether certificates have to be valid now.
    int judges_dates;
    /// A name or an address, as in the URL, without brackets.
    char host[256];
};

// MARK: Requests

/// What the event loop has to watch a descriptor for; 0 is nothing any more.
enum hf_interest { HF_READABLE = 1, HF_WRITABLE = 2 };

struct hf_transfer;
struct hf_request;

struct hf_answer {
    /// 0 when there is none.
    int status;
    /// Why there is none: a CURLcode, and in words. 0 when there is one.
    int failure;
    const char *_Nullable failure_text;
    /// The status line and the fields, as they came; at most 16 KiB.
    const char *_Nullable head;
    size_t head_size;
    const uint8_t *_Nullable body;
    size_t body_size;
    /// All that went over the connection for it, in bytes, TLS aside.
    int64_t sent;
    int64_t received;
};

struct hf_callbacks {
    void *_Nullable context;
    void (*watch)(void *_Nullable context, int descriptor, int interest);
    /// Call hf_transfer_timeout after so many milliseconds; -1 for never.
    void (*timer)(void *_Nullable context, long milliseconds);
    /// The answer is valid for as long as the call lasts; the request ends with it.
    void (*done)(void *_Nullable context, struct hf_request *request, const struct hf_answer *answer);
    /// The status and the fields of a request that streams, before its first piece.
    void (*head)(void *_Nullable context, struct hf_request *request, const struct hf_answer *answer);
    /// A piece of its content; valid for as long as the call lasts. No request may be begun or ended meanwhile.
    void (*data)(void *_Nullable context, struct hf_request *request, const uint8_t *bytes, size_t size);
};

/// What to send, and how long it may take. Everything is copied.
struct hf_order {
    const char *method;
    const char *url;
    /// "Name: value", each ended by a line feed.
    const char *headers;
    const uint8_t *_Nullable body;
    size_t body_size;
    /// More than this is a failure.
    size_t answer_limit;
    /// Whether the content of a good answer goes to `data` as it comes, instead of into the answer.
    int streams;
    /// How much of it may come at a time, in bytes; 0 is no limit.
    size_t turn_limit;
    const char *_Nullable proxy;
    /// In milliseconds; 0 is none.
    long connect_timeout;
    long total_timeout;
    /// Fewer bytes a second than `slowest` for so many seconds are a failure; 0 is none.
    long slowest;
    long slow_time;
};

/// Connections to one central. Null when there is no memory.
struct hf_transfer *_Nullable hf_transfer_create(struct hf_callbacks callbacks, const struct hf_trust *trust);
/// Ends everything that is under way, without calling `done`. Not within a callback.
void hf_transfer_destroy(struct hf_transfer *transfer);
/// For connections made from now on.
void hf_transfer_judge_dates(struct hf_transfer *transfer, int judges_dates);
/// Null when libcurl refuses an option; `problem` says which.
struct hf_request *_Nullable hf_transfer_begin(struct hf_transfer *transfer, const struct hf_order *order,
                                               char *problem, size_t size);
/// Ends a request without `done`.
void hf_transfer_cancel(struct hf_transfer *transfer, struct hf_request *request);
/// 1 when content waits for hf_transfer_resume, which is to be called once everything else has had its turn; 0 otherwise.
int hf_transfer_ready(struct hf_transfer *transfer, int descriptor, int interest);
int hf_transfer_timeout(struct hf_transfer *transfer);
/// Lets content come that had to wait.
void hf_transfer_resume(struct hf_transfer *transfer);

// MARK: Keys (Ed25519, RFC 8032)

struct hf_key;

struct hf_key *_Nullable hf_key_generate(void);
/// From PEM (PKCS #8, RFC 8410); null when it is no such key.
struct hf_key *_Nullable hf_key_parse(const char *pem, size_t size);
/// As PEM; how many bytes it has, or 0 when there is no room.
size_t hf_key_text(const struct hf_key *key, char *pem, size_t size);
/// 0, or -1.
int hf_key_public(const struct hf_key *key, uint8_t out[_Nonnull 32]);
/// 0, or -1.
int hf_key_sign(const struct hf_key *key, const uint8_t *bytes, size_t size, uint8_t signature[_Nonnull 64]);
void hf_key_free(struct hf_key *key);

// MARK: Bytes

/// 0, or -1.
int hf_sha256(const void *_Nullable bytes, size_t size, uint8_t digest[_Nonnull 32]);

/// Compresses in pieces (RFC 1952).
struct hf_gzip;

struct hf_gzip *_Nullable hf_gzip_begin(void);
/// Adds bytes: 0, or -1 when there is no memory.
int hf_gzip_add(struct hf_gzip *gzip, const void *_Nullable bytes, size_t size);
/// Ends it: what came of it, until it is freed, or null when there is no memory.
const uint8_t *_Nullable hf_gzip_end(struct hf_gzip *gzip, size_t *size);
void hf_gzip_free(struct hf_gzip *gzip);

#pragma clang assume_nonnull end
