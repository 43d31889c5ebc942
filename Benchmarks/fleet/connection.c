#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MAX (64 << 20)

struct samples connect_times;
uint64_t connects, resumed, closed_idle;

static void progress(struct watch *watch);

void connection_prepare(struct connection *connection, struct endpoint *endpoint, uint32_t source,
                        SSL_SESSION **session) {
    *connection = (struct connection){
        .watch = {progress}, .endpoint = endpoint, .source = source, .descriptor = -1, .session = session};
}

bool connection_is_free(const struct connection *connection) { return !connection->answered; }

void connection_close(struct connection *connection) {
    if (connection->tls) {
        // As a good client: else the session would count as broken, and could not be resumed.
        SSL_set_shutdown(connection->tls, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(connection->tls);
        connection->tls = NULL;
    }
    if (connection->descriptor >= 0) close(connection->descriptor);
    connection->descriptor = -1;
    connection->state = CLOSED;
}

// Ends the request that is under way, if there is one.
static void finish(struct connection *connection, const struct answer *answer) {
    answered *done = connection->answered;
    struct bytes in = connection->in;
    connection->answered = NULL;
    connection->in = (struct bytes){0};
    bytes_free(&connection->out);
    if (connection->state == BUSY) connection->state = IDLE;
    if (done) done(connection->context, answer);
    bytes_free(&in);
}

static void give_up(struct connection *connection, const char *why, const char *detail) {
    bool is_idle = connection->state == IDLE;
    connection_close(connection);
    if (is_idle) closed_idle++;
    else count_error("%s%s%s", why, detail ? ": " : "", detail ? detail : "");
    if (!is_idle) finish(connection, &(struct answer){.took = monotonic_ns() - connection->due});
}

static const char *tls_reason(void) {
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    ERR_clear_error();
    return reason ? reason : strerror(errno);
}

static void begin_connecting(struct connection *connection) {
    struct endpoint *endpoint = connection->endpoint;
    connection->descriptor = socket(endpoint->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connection->descriptor < 0) fail("socket: %s (ulimit -n?)", strerror(errno));
    int on = 1;
    setsockopt(connection->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connection->source) {
        // The port is chosen when the other end is known, so that addresses do not run out of ports (ip(7)).
        setsockopt(connection->descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
        struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(connection->source)};
        if (bind(connection->descriptor, (struct sockaddr *)&from, sizeof from) < 0) fail("bind: %s", strerror(errno));
    }
    connection->state = CONNECTING;
    connection->connecting_since = monotonic_ns();
    connects++;
    // How it went, the next call says.
    (void)connect(connection->descriptor, (struct sockaddr *)&endpoint->address, endpoint->address_size);
    loop_watch(connection->descriptor, &connection->watch);
}

static void connected(struct connection *connection) {
    struct endpoint *endpoint = connection->endpoint;
    connection->state = BUSY;
    if (!endpoint->tls) {
        samples_add(&connect_times, monotonic_ns() - connection->connecting_since);
        return;
    }
    connection->state = SHAKING_HANDS;
    if (!(connection->tls = SSL_new(endpoint->tls)) || SSL_set_fd(connection->tls, connection->descriptor) != 1)
        fail("OpenSSL makes no connection");
    SSL_set_app_data(connection->tls, connection);
    SSL_set_connect_state(connection->tls);
    struct in6_addr number;
    if (inet_pton(AF_INET, endpoint->host, &number) != 1 && inet_pton(AF_INET6, endpoint->host, &number) != 1)
        SSL_set_tlsext_host_name(connection->tls, endpoint->host);
    if (connection->session && *connection->session) SSL_set_session(connection->tls, *connection->session);
}

// Whether the call has to be made again later; else `why` it failed.
static bool must_wait(struct connection *connection, int result, const char **why) {
    int error = SSL_get_error(connection->tls, result);
    *why = error == SSL_ERROR_ZERO_RETURN ? "closed" : tls_reason();
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

static void send_more(struct connection *connection) {
    while (connection->state == BUSY && connection->sent < connection->out.size) {
        const char *data = connection->out.data + connection->sent, *why = NULL;
        size_t left = connection->out.size - connection->sent;
        long count;
        if (connection->tls) {
            ERR_clear_error();
            count = SSL_write(connection->tls, data, (int)left);
            if (count <= 0 && must_wait(connection, (int)count, &why)) return;
        } else {
            count = send(connection->descriptor, data, left, MSG_NOSIGNAL);
            if (count < 0 && errno == EAGAIN) return;
            if (count < 0) why = strerror(errno);
        }
        if (count <= 0) return give_up(connection, "sending", why);
        connection->sent += (size_t)count;
    }
}

// Reads all there is. Returns whether the other side has closed.
static bool read_all(struct connection *connection) {
    static char buffer[65536];
    for (;;) {
        const char *why;
        long count;
        if (connection->tls) {
            ERR_clear_error();
            count = SSL_read(connection->tls, buffer, sizeof buffer);
            if (count <= 0) return !must_wait(connection, (int)count, &why);
        } else {
            count = recv(connection->descriptor, buffer, sizeof buffer, 0);
            if (count <= 0) return count == 0 || errno != EAGAIN;
        }
        if (connection->in.size + (size_t)count > ANSWER_MAX) return true;
        bytes_add(&connection->in, buffer, (size_t)count);
    }
}

// A field's value in an answer's head, or null.
static const char *field(const char *head, const char *name) {
    size_t size = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, name, size) == 0 && line[2 + size] == ':')
            return line + 3 + size + strspn(line + 3 + size, " ");
    return NULL;
}

// Ends the request when all of its answer is there. Returns false when it is none.
static bool take_answer(struct connection *connection, bool is_closed) {
    char *end = connection->in.size ? strstr(connection->in.data, "\r\n\r\n") : NULL;
    if (!end) return true;
    end[2] = 0; // the head as a text of its own
    int status = strncmp(connection->in.data, "HTTP/1.1 ", 9) ? 0 : atoi(connection->in.data + 9);
    const char *length = field(connection->in.data, "content-length");
    bool has_no_body = status == 204 || status == 304;
    if (status < 200 || (!length && !has_no_body)) return false;
    size_t size = has_no_body ? 0 : strtoul(length, NULL, 10), head = (size_t)(end + 4 - connection->in.data);
    bool is_whole = connection->in.size >= head + size;
    if (is_whole) {
        struct answer answer = {status, connection->in.data, end + 4, size, monotonic_ns() - connection->due};
        const char *kept = field(connection->in.data, "connection");
        if (is_closed || (kept && strncasecmp(kept, "close", 5) == 0)) connection_close(connection);
        finish(connection, &answer);
    } else {
        end[2] = '\r';
    }
    return true;
}

static void progress(struct watch *watch) {
    struct connection *connection = (struct connection *)watch; // its first member
    const char *why = NULL;
    if (connection->state == CLOSED) return;
    if (connection->state == CONNECTING) {
        struct endpoint *endpoint = connection->endpoint;
        // Asked again it says how it stands, whatever event this was.
        int failed = connect(connection->descriptor, (struct sockaddr *)&endpoint->address, endpoint->address_size);
        if (failed && errno == EALREADY) return;
        if (failed && errno != EISCONN) return give_up(connection, "connecting", strerror(errno));
        connected(connection);
    }
    if (connection->state == SHAKING_HANDS) {
        ERR_clear_error();
        int result = SSL_do_handshake(connection->tls);
        if (result != 1) {
            if (must_wait(connection, result, &why)) return;
            return give_up(connection, "TLS", why);
        }
        if (SSL_session_reused(connection->tls)) resumed++;
        samples_add(&connect_times, monotonic_ns() - connection->connecting_since);
        connection->state = BUSY;
    }
    if (connection->state == BUSY) send_more(connection);
    if (connection->state != BUSY && connection->state != IDLE) return;
    bool is_closed = read_all(connection);
    if (connection->state == IDLE) {
        if (is_closed || connection->in.size) give_up(connection, "idle", NULL);
        return;
    }
    if (!take_answer(connection, is_closed)) return give_up(connection, "an answer that cannot be read", NULL);
    if (connection->state == BUSY && is_closed && connection->sent == connection->out.size)
        give_up(connection, "closed by the other side", NULL);
}

static void check_deadline(void *context, int64_t due) {
    struct connection *connection = context;
    connection->is_timed = false;
    if (!connection->answered) return;
    if (connection->deadline <= due) return give_up(connection, "no answer in time", NULL);
    connection->is_timed = true;
    loop_at(connection->deadline, check_deadline, connection);
}

void connection_request(struct connection *connection, struct bytes *request, int64_t due, int64_t seconds,
                        answered *answered, void *context) {
    if (connection->answered) fail("a request on a connection that has one");
    connection->out = *request;
    *request = (struct bytes){0};
    connection->sent = 0;
    connection->answered = answered;
    connection->context = context;
    connection->due = due;
    connection->deadline = due + seconds * SECOND;
    if (!connection->is_timed) loop_at(connection->deadline, check_deadline, connection);
    connection->is_timed = true;
    if (connection->state == CLOSED) return begin_connecting(connection);
    connection->state = BUSY;
    send_more(connection);
}
