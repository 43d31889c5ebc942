#include "libraries.h"
#include "CTransfer.h"

#include <arpa/inet.h>
#include <string.h>

/// Of a public key as the pins have it: SHA-256 of the SubjectPublicKeyInfo. 0, or -1.
static int digest_key(X509 *certificate, uint8_t digest[32]) {
    X509_PUBKEY *key = CALL(X509_get_X509_PUBKEY)(certificate);
    unsigned char *bytes = NULL;
    if (!key) return -1;
    int count = CALL(ASN1_item_i2d)((const ASN1_VALUE *)key, &bytes, CALL(X509_PUBKEY_it)());
    if (count <= 0) return -1;
    int failed = hf_sha256(bytes, (size_t)count, digest);
    CALL(CRYPTO_free)(bytes, __FILE__, __LINE__);
    return failed;
}

static int is_pinned(const struct hf_trust *trust, X509 *certificate) {
    uint8_t digest[32];
    if (digest_key(certificate, digest)) return 0;
    for (int index = 0; index < trust->pin_count; index++) {
        if (memcmp(trust->pins[index], digest, sizeof digest) == 0) return 1;
    }
    return 0;
}

static int is_address(const char *host) {
    struct in6_addr address;
    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

// Whether there is a good chain from the leaf up to this certificate, which needs no issuer of its own. On failure an
// X509_V_ERR_*.
static int verify_from(const struct hf_trust *trust, X509 *anchor, X509 *leaf, STACK_OF(X509) *chain) {
    int error = X509_V_ERR_OUT_OF_MEM;
    X509_STORE *store = CALL(X509_STORE_new)();
    X509_STORE_CTX *context = CALL(X509_STORE_CTX_new)();
    if (!store || !context || CALL(X509_STORE_add_cert)(store, anchor) != 1 ||
        CALL(X509_STORE_CTX_init)(context, store, leaf, chain) != 1 ||
        CALL(X509_STORE_CTX_set_default)(context, "ssl_server") != 1)
        goto end;
    X509_VERIFY_PARAM *param = CALL(X509_STORE_CTX_get0_param)(context);
    unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN | (trust->judges_dates ? 0 : X509_V_FLAG_NO_CHECK_TIME);
    CALL(X509_VERIFY_PARAM_set_flags)(param, flags);
    // No key below 2048 bits of RSA, no SHA-1.
    CALL(X509_VERIFY_PARAM_set_auth_level)(param, 2);
    CALL(X509_VERIFY_PARAM_set_hostflags)(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    int is_set = is_address(trust->host) ? CALL(X509_VERIFY_PARAM_set1_ip_asc)(param, trust->host)
                                         : CALL(X509_VERIFY_PARAM_set1_host)(param, trust->host, 0);
    if (is_set != 1) goto end;
    int is_good = CALL(X509_verify_cert)(context) == 1;
    error = CALL(X509_STORE_CTX_get_error)(context);
    if (is_good) error = X509_V_OK;
    else if (error == X509_V_OK) error = X509_V_ERR_UNSPECIFIED;
end:
    CALL(X509_STORE_CTX_free)(context);
    CALL(X509_STORE_free)(store);
    return error;
}

int hf_verify(X509_STORE_CTX *context, void *argument) {
    const struct hf_trust *trust = argument;
    X509 *leaf = CALL(X509_STORE_CTX_get0_cert)(context);
    // What central has presented, the leaf among it.
    STACK_OF(X509) *chain = CALL(X509_STORE_CTX_get0_untrusted)(context);
    int error = X509_V_ERR_CERT_UNTRUSTED;
    int count = chain ? CALL(OPENSSL_sk_num)((const OPENSSL_STACK *)chain) : 0;
    for (int index = 0; index < count && index < 16 && error; index++) {
        X509 *certificate = CALL(OPENSSL_sk_value)((const OPENSSL_STACK *)chain, index);
        if (is_pinned(trust, certificate)) error = verify_from(trust, certificate, leaf, chain);
    }
    CALL(X509_STORE_CTX_set_error)(context, error);
    return error == X509_V_OK;
}
