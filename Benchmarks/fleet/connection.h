// HTTP/1.1 over kept-alive connections, with TLS or without; one request at a time on each.
#pragma once
#include <netinet/in.h>
#include <openssl/ssl.h>

#include "loop.h"

#define PINS_MAX 2

// Who is asked.
struct endpoint {
    struct sockaddr_storage address;
    socklen_t address_size;
    char host[256], port[8];
    SSL_CTX *tls; // null for none
    uint8_t pins[PINS_MAX][32];
    int pin_count;
};

// Resolves host and port; with pins, makes what TLS needs.
void endpoint_prepare(struct endpoint *endpoint, bool is_tls);

struct answer {
    int status; // 0 when there is none: it was counted as an error
    const char *head, *body;
    size_t body_size;
    int64_t took; // ns since the time the request was due
};

typedef void answered(void *context, const struct answer *answer);

struct connection {
    struct watch watch;
    struct endpoint *endpoint;
    uint32_t source; // an address of this machine, or 0 for any
    int descriptor;
    SSL *tls;
    enum { CLOSED, CONNECTING, SHAKING_HANDS, IDLE, BUSY } state;
    int64_t connecting_since;
    SSL_SESSION **session; // where sessions are kept for the next connection
    struct bytes out, in;
    size_t sent;
    answered *answered;
    void *context;
    int64_t due, deadline;
    bool is_timed; // one look at the deadline is planned
};

// `session` is null, or where the connections of one device keep theirs.
void connection_prepare(struct connection *connection, struct endpoint *endpoint, uint32_t source,
                        SSL_SESSION **session);
// Sends a request, over a new connection when there is none. `answered` is called once, perhaps from within: do nothing
// with the connection after the call. `due` is when it should have been sent; what it takes counts from there.
void connection_request(struct connection *connection, struct bytes *request, int64_t due, int64_t seconds,
                        answered *answered, void *context);
bool connection_is_free(const struct connection *connection);
void connection_close(struct connection *connection);

extern struct samples connect_times;
extern uint64_t connects, resumed, closed_idle;
