// How a device knows that it talks to central (docs/fleet-protocol.md, Trust).
#include <arpa/inet.h>
#include <netdb.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <string.h>

#include "connection.h"
#include "signing.h"

static bool is_pinned(const struct endpoint *endpoint, X509 *certificate) {
    unsigned char *key = NULL;
    uint8_t digest[32];
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &key);
    if (size <= 0) return false;
    sha256(key, (size_t)size, digest);
    OPENSSL_free(key);
    for (int i = 0; i < endpoint->pin_count; i++)
        if (memcmp(endpoint->pins[i], digest, sizeof digest) == 0) return true;
    return false;
}

// Whether there is a good chain from the leaf to this certificate, for the endpoint's name.
static int verify_from(const struct endpoint *endpoint, X509 *anchor, X509_STORE_CTX *presented) {
    struct in6_addr number;
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    int error = X509_V_ERR_UNSPECIFIED;
    if (store && context && X509_STORE_add_cert(store, anchor) == 1 &&
        X509_STORE_CTX_init(context, store, X509_STORE_CTX_get0_cert(presented),
                            X509_STORE_CTX_get0_untrusted(presented)) == 1 &&
        X509_STORE_CTX_set_default(context, "ssl_server") == 1) {
        X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
        X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
        X509_VERIFY_PARAM_set_auth_level(param, 2);
        bool is_number =
            inet_pton(AF_INET, endpoint->host, &number) == 1 || inet_pton(AF_INET6, endpoint->host, &number) == 1;
        int is_set = is_number ? X509_VERIFY_PARAM_set1_ip_asc(param, endpoint->host)
                               : X509_VERIFY_PARAM_set1_host(param, endpoint->host, 0);
        if (is_set == 1) {
            bool is_good = X509_verify_cert(context) == 1;
            error = X509_STORE_CTX_get_error(context);
            if (is_good) error = X509_V_OK;
        }
    }
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return error;
}

static int verify(X509_STORE_CTX *context, void *argument) {
    const struct endpoint *endpoint = argument;
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_untrusted(context);
    int error = X509_V_ERR_CERT_UNTRUSTED;
    for (int i = 0; i < sk_X509_num(chain) && error; i++)
        if (is_pinned(endpoint, sk_X509_value(chain, i)))
            error = verify_from(endpoint, sk_X509_value(chain, i), context);
    X509_STORE_CTX_set_error(context, error);
    return error == X509_V_OK;
}

static int keep_session(SSL *tls, SSL_SESSION *session) {
    struct connection *connection = SSL_get_app_data(tls);
    if (!connection->session) return 0;
    SSL_SESSION_free(*connection->session);
    *connection->session = session;
    return 1; // it is ours now
}

void endpoint_prepare(struct endpoint *endpoint, bool is_tls) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    int failed = getaddrinfo(endpoint->host, endpoint->port, &hints, &found);
    if (failed) fail("%s: %s", endpoint->host, gai_strerror(failed));
    memcpy(&endpoint->address, found->ai_addr, found->ai_addrlen);
    endpoint->address_size = found->ai_addrlen;
    freeaddrinfo(found);
    if (!is_tls) return;
    if (!(endpoint->tls = SSL_CTX_new(TLS_client_method()))) fail("OpenSSL has no TLS");
    SSL_CTX_set_min_proto_version(endpoint->tls, TLS1_2_VERSION);
    SSL_CTX_set_verify(endpoint->tls, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(endpoint->tls, verify, endpoint);
    SSL_CTX_set_session_cache_mode(endpoint->tls, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(endpoint->tls, keep_session);
    SSL_CTX_set_mode(endpoint->tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}
