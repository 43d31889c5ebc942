#include "libraries.h"
#include "CTransfer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_MAX 16384
// One for the commands that are waited for, one for everything else, and one more when that is slow.
#define CONNECTIONS_MAX 3
// In bytes: what comes is small, and what goes is sent from one buffer.
#define RECEIVE_BUFFER 4096
#define SEND_BUFFER 16384
// For content that comes at length: one TLS record.
#define LONG_RECEIVE_BUFFER 16384
// A network that forgets idle connections after five minutes must not forget ours; more often would cost traffic.
#define KEEPALIVE_SECONDS 240
#define KEEPALIVE_INTERVAL_SECONDS 30
// Older idle connections are not used again: a new one costs a handshake, at each heartbeat if this were shorter than the
// time between two.
#define CONNECTION_AGE_SECONDS 3600
// What was sent, a keepalive too, has to be acknowledged within this time.
#define UNACKNOWLEDGED_MILLISECONDS 90000

struct hf_transfer {
    CURLM *multi;
    CURLSH *share;
    struct hf_callbacks callbacks;
    struct hf_trust trust;
    struct hf_request *requests;
};

struct hf_request {
    struct hf_transfer *transfer;
    struct hf_request *next;
    CURL *easy;
    struct curl_slist *headers;
    uint8_t *body;
    char head[HEAD_MAX];
    size_t head_size;
    uint8_t *answer;
    size_t answer_size;
    size_t answer_limit;
    int is_answer_too_large;
    int streams;
    int has_begun;
    // How much content a turn may bring, how much this one has brought, and whether the rest has to wait.
    size_t turn_limit;
    size_t turn_size;
    int is_paused;
    char error[CURL_ERROR_SIZE];
};

// MARK: Callbacks of libcurl

static int on_socket(CURL *easy, curl_socket_t descriptor, int what, void *context, void *known) {
    struct hf_transfer *transfer = context;
    (void)easy, (void)known;
    int interest = what == CURL_POLL_IN      ? HF_READABLE
                   : what == CURL_POLL_OUT   ? HF_WRITABLE
                   : what == CURL_POLL_INOUT ? HF_READABLE | HF_WRITABLE
                                             : 0;
    transfer->callbacks.watch(transfer->callbacks.context, descriptor, interest);
    return 0;
}

static int on_timer(CURLM *multi, long milliseconds, void *context) {
    struct hf_transfer *transfer = context;
    (void)multi;
    transfer->callbacks.timer(transfer->callbacks.context, milliseconds);
    return 0;
}

static int on_connecting(void *context, curl_socket_t descriptor, curlsocktype purpose) {
    unsigned milliseconds = UNACKNOWLEDGED_MILLISECONDS;
    (void)context, (void)purpose;
    // Where the kernel does not know it, its own limit of a quarter of an hour holds.
    setsockopt(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds);
    return CURL_SOCKOPT_OK;
}

static CURLcode on_tls(CURL *easy, void *tls, void *context) {
    (void)easy;
    CALL(SSL_CTX_set_cert_verify_callback)(tls, hf_verify, context);
    // Buffers of idle connections: 34 KB each.
    CALL(SSL_CTX_ctrl)(tls, SSL_CTRL_MODE, SSL_MODE_RELEASE_BUFFERS, NULL);
    return CURLE_OK;
}

static size_t on_head(char *bytes, size_t one, size_t count, void *context) {
    struct hf_request *request = context;
    (void)one;
    // After "100 Continue" comes another head.
    if (count >= 5 && memcmp(bytes, "HTTP/", 5) == 0) request->head_size = 0;
    if (request->head_size + count > HEAD_MAX) return 0;
    memcpy(request->head + request->head_size, bytes, count);
    request->head_size += count;
    return count;
}

static size_t stream(struct hf_request *request, const char *bytes, size_t count, long status) {
    struct hf_callbacks callbacks = request->transfer->callbacks;
    if (request->turn_limit && request->turn_size >= request->turn_limit) {
        // Libcurl keeps this piece, and stops reading from the connection.
        request->is_paused = 1;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (!request->has_begun) {
        struct hf_answer answer = {.status = (int)status, .head = request->head, .head_size = request->head_size};
        request->has_begun = 1;
        callbacks.head(callbacks.context, request, &answer);
    }
    request->turn_size += count;
    callbacks.data(callbacks.context, request, (const uint8_t *)bytes, count);
    return count;
}

static size_t on_body(char *bytes, size_t one, size_t count, void *context) {
    struct hf_request *request = context;
    long status = 0;
    (void)one;
    if (request->streams && CALL(curl_easy_getinfo)(request->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK &&
        status >= 200 && status < 300)
        return stream(request, bytes, count, status);
    if (count > request->answer_limit - request->answer_size) {
        request->is_answer_too_large = 1;
        return 0;
    }
    uint8_t *answer = realloc(request->answer, request->answer_size + count + 1);
    if (!answer) return 0;
    memcpy(answer + request->answer_size, bytes, count);
    request->answer = answer;
    request->answer_size += count;
    return count;
}

// MARK: Life

struct hf_transfer *hf_transfer_create(struct hf_callbacks callbacks, const struct hf_trust *trust) {
    struct hf_transfer *transfer = calloc(1, sizeof *transfer);
    if (!transfer) return NULL;
    transfer->callbacks = callbacks;
    transfer->trust = *trust;
    transfer->multi = CALL(curl_multi_init)();
    transfer->share = CALL(curl_share_init)();
    if (!transfer->multi || !transfer->share) {
        if (transfer->multi) CALL(curl_multi_cleanup)(transfer->multi);
        if (transfer->share) CALL(curl_share_cleanup)(transfer->share);
        free(transfer);
        return NULL;
    }
    // A session that is taken up again saves half of a handshake's traffic.
    CALL(curl_share_setopt)(transfer->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    CALL(curl_multi_setopt)(transfer->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    CALL(curl_multi_setopt)(transfer->multi, CURLMOPT_SOCKETDATA, transfer);
    CALL(curl_multi_setopt)(transfer->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    CALL(curl_multi_setopt)(transfer->multi, CURLMOPT_TIMERDATA, transfer);
    CALL(curl_multi_setopt)(transfer->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_MAX);
    CALL(curl_multi_setopt)(transfer->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    return transfer;
}

static void free_request(struct hf_request *request) {
    struct hf_transfer *transfer = request->transfer;
    struct hf_request **place = &transfer->requests;
    while (*place && *place != request) place = &(*place)->next;
    if (*place) *place = request->next;
    if (request->easy) {
        CALL(curl_multi_remove_handle)(transfer->multi, request->easy);
        CALL(curl_easy_cleanup)(request->easy);
    }
    CALL(curl_slist_free_all)(request->headers);
    free(request->body);
    free(request->answer);
    free(request);
}

void hf_transfer_destroy(struct hf_transfer *transfer) {
    while (transfer->requests) free_request(transfer->requests);
    CALL(curl_multi_cleanup)(transfer->multi);
    CALL(curl_share_cleanup)(transfer->share);
    free(transfer);
}

void hf_transfer_judge_dates(struct hf_transfer *transfer, int judges_dates) {
    transfer->trust.judges_dates = judges_dates;
}

// MARK: Requests

static int add_headers(struct hf_request *request, const char *lines) {
    char line[2048];
    while (*lines) {
        size_t count = strcspn(lines, "\n");
        if (count >= sizeof line) return -1;
        memcpy(line, lines, count);
        line[count] = 0;
        struct curl_slist *list = CALL(curl_slist_append)(request->headers, line);
        if (!list) return -1;
        request->headers = list;
        lines += count + (lines[count] == '\n');
    }
    return 0;
}

#define SET(option, value)                                                                                             \
    do {                                                                                                               \
        code = CALL(curl_easy_setopt)(easy, option, value);                                                            \
        if (code) return code;                                                                                         \
    } while (0)

static CURLcode configure(struct hf_request *request, const struct hf_order *order) {
    CURL *easy = request->easy;
    struct hf_transfer *transfer = request->transfer;
    CURLcode code;
    SET(CURLOPT_URL, order->url);
    // As a number: the option of the same meaning that takes names is too new for some devices.
    SET(CURLOPT_PROTOCOLS, (long)CURLPROTO_HTTPS);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_ERRORBUFFER, request->error);
    SET(CURLOPT_PRIVATE, request);
    SET(CURLOPT_SHARE, transfer->share);
    SET(CURLOPT_HTTPHEADER, request->headers);
    SET(CURLOPT_HEADERFUNCTION, on_head);
    SET(CURLOPT_HEADERDATA, request);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, request);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_BUFFERSIZE, order->turn_limit ? (long)LONG_RECEIVE_BUFFER : (long)RECEIVE_BUFFER);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)SEND_BUFFER);

    // Trust: ours only, so the system's bundle is never read.
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_CAINFO, NULL);
    SET(CURLOPT_CAPATH, NULL);
    SET(CURLOPT_SSL_CTX_FUNCTION, on_tls);
    SET(CURLOPT_SSL_CTX_DATA, &transfer->trust);

    // Without one, what the environment says does not count.
    SET(CURLOPT_PROXY, order->proxy ? order->proxy : "");
    SET(CURLOPT_CONNECTTIMEOUT_MS, order->connect_timeout);
    SET(CURLOPT_TIMEOUT_MS, order->total_timeout);
    SET(CURLOPT_LOW_SPEED_LIMIT, order->slowest);
    SET(CURLOPT_LOW_SPEED_TIME, order->slow_time);
    SET(CURLOPT_SOCKOPTFUNCTION, on_connecting);
    SET(CURLOPT_MAXAGE_CONN, (long)CONNECTION_AGE_SECONDS);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_SECONDS);
    SET(CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_INTERVAL_SECONDS);

    if (order->body) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDS, request->body);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)order->body_size);
    }
    SET(CURLOPT_CUSTOMREQUEST, order->method);
    return CURLE_OK;
}

struct hf_request *hf_transfer_begin(struct hf_transfer *transfer, const struct hf_order *order, char *problem,
                                     size_t size) {
    struct hf_request *request = calloc(1, sizeof *request);
    snprintf(problem, size, "there is no memory");
    if (!request) return NULL;
    request->transfer = transfer;
    request->next = transfer->requests;
    transfer->requests = request;
    request->answer_limit = order->answer_limit;
    request->streams = order->streams;
    request->turn_limit = order->turn_limit;
    request->easy = CALL(curl_easy_init)();
    request->body = malloc(order->body_size + 1);
    if (!request->easy || !request->body || add_headers(request, order->headers)) goto failed;
    if (order->body) memcpy(request->body, order->body, order->body_size);
    CURLcode code = configure(request, order);
    if (code) {
        snprintf(problem, size, "%s", CALL(curl_easy_strerror)(code));
        goto failed;
    }
    if (CALL(curl_multi_add_handle)(transfer->multi, request->easy) == CURLM_OK) return request;
failed:
    free_request(request);
    return NULL;
}

void hf_transfer_cancel(struct hf_transfer *transfer, struct hf_request *request) {
    (void)transfer;
    free_request(request);
}

static void report(struct hf_transfer *transfer, struct hf_request *request, CURLcode code) {
    struct hf_answer answer = {.failure = (int)code, .head = request->head, .head_size = request->head_size,
                               .body = request->answer, .body_size = request->answer_size};
    long status = 0, head = 0;
    curl_off_t up = 0, down = 0;
    CALL(curl_easy_getinfo)(request->easy, CURLINFO_REQUEST_SIZE, &head);
    CALL(curl_easy_getinfo)(request->easy, CURLINFO_SIZE_UPLOAD_T, &up);
    CALL(curl_easy_getinfo)(request->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
    answer.sent = (int64_t)head + up;
    answer.received = (int64_t)request->head_size + down;
    if (code == CURLE_OK) {
        CALL(curl_easy_getinfo)(request->easy, CURLINFO_RESPONSE_CODE, &status);
        answer.status = (int)status;
    } else {
        answer.failure_text = request->is_answer_too_large ? "the answer is longer than it may be"
                              : request->error[0]          ? request->error
                                                           : CALL(curl_easy_strerror)(code);
    }
    transfer->callbacks.done(transfer->callbacks.context, request, &answer);
    free_request(request);
}

static void finish(struct hf_transfer *transfer) {
    CURLMsg *message;
    int left;
    while ((message = CALL(curl_multi_info_read)(transfer->multi, &left))) {
        struct hf_request *request = NULL;
        if (message->msg != CURLMSG_DONE) continue;
        CURLcode code = message->data.result;
        CALL(curl_easy_getinfo)(message->easy_handle, CURLINFO_PRIVATE, &request);
        if (request) report(transfer, request, code);
    }
}

// Whether content waits for the next turn; what comes from now on belongs to it.
static int end_turn(struct hf_transfer *transfer) {
    int waits = 0;
    for (struct hf_request *request = transfer->requests; request; request = request->next) {
        waits |= request->is_paused;
        request->turn_size = 0;
    }
    return waits;
}

int hf_transfer_ready(struct hf_transfer *transfer, int descriptor, int interest) {
    int running, bits = (interest & HF_READABLE ? CURL_CSELECT_IN : 0) | (interest & HF_WRITABLE ? CURL_CSELECT_OUT : 0);
    // Neither: an error, which libcurl finds out when it reads.
    CALL(curl_multi_socket_action)(transfer->multi, descriptor, bits ? bits : CURL_CSELECT_ERR, &running);
    finish(transfer);
    return end_turn(transfer);
}

int hf_transfer_timeout(struct hf_transfer *transfer) {
    int running;
    CALL(curl_multi_socket_action)(transfer->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish(transfer);
    return end_turn(transfer);
}

void hf_transfer_resume(struct hf_transfer *transfer) {
    for (struct hf_request *request = transfer->requests; request; request = request->next) {
        if (!request->is_paused) continue;
        request->is_paused = 0;
        // The piece that was kept comes here, the rest with the timer that libcurl sets.
        CALL(curl_easy_pause)(request->easy, CURLPAUSE_CONT);
    }
}
