// What the plugin may call, from any of its threads.
//
// No thread of ours reads the socket: one that waits in recvmsg would keep it open when the plugin closes it, and whoever runs
// us would never hear of that. Instead a thread that waits for an answer reads, for all that wait, and `cancelled` looks
// whether something has come.

#include "host.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { line_max = 4096, words_max = 1024 };

// A thread that waits for an answer, on its stack.
struct waiter {
    int32_t number;
    int is_answered;
    int32_t status;
    char *answer;
    size_t capacity;
    size_t length;
    int *descriptor;
    struct waiter *next;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t progress;
    const struct order *order;
    pid_t process;
    // The rest under the lock.
    int is_ended;
    int is_closed;
    int is_cancelled;
    // Whoever runs us says so, by a clock that began before ours.
    int is_time_over;
    // Whether a thread reads the socket; the packet is its own then.
    int is_reading;
    int32_t last_number;
    struct waiter *waiters;
    enum hf_result_state result_state;
    char *result;
    size_t result_length;
    char failure[words_max + 1];
    struct packet packet;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER, .progress = PTHREAD_COND_INITIALIZER};

static _Thread_local char error_text[words_max + 1];

static int32_t answer_error(int32_t status, const char *text) {
    snprintf(error_text, sizeof error_text, "%s", text);
    return status;
}

static int32_t answer_ok(void) {
    error_text[0] = '\0';
    return HF_OK;
}

int is_host_process(void) { return getpid() == state.process; }

static int is_over(void) {
    // A copy of the process that the plugin has forked: the lock may be held by a thread that is not in it.
    if (!is_host_process()) return 1;
    pthread_mutex_lock(&state.lock);
    int is_over = state.is_ended || state.is_closed;
    pthread_mutex_unlock(&state.lock);
    return is_over;
}

static int32_t over(void) { return answer_error(HF_ERROR_ENDED, "the command has ended, or this is a forked process"); }

// MARK: Reading, under the lock

static void settle(struct waiter *waiter, struct packet *packet) {
    waiter->is_answered = 1;
    waiter->status =
        packet->head.value >= -64 && packet->head.value <= 0 ? (int32_t)packet->head.value : HF_ERROR_FAILED;
    waiter->length = packet->length;
    size_t fitting = packet->length < waiter->capacity ? packet->length : waiter->capacity;
    if (fitting > 0) memcpy(waiter->answer, packet->body, fitting);
    if (waiter->descriptor && packet->descriptor >= 0) {
        *waiter->descriptor = packet->descriptor;
        packet->descriptor = -1;
    }
}

static void dispatch(struct packet *packet) {
    if (packet->head.type == HF_FRAME_CANCEL) {
        state.is_cancelled = 1;
        if (packet->head.number == 1) state.is_time_over = 1;
    } else if (packet->head.type == HF_FRAME_ANSWER) {
        for (struct waiter *waiter = state.waiters; waiter; waiter = waiter->next) {
            if (waiter->number == packet->head.number && !waiter->is_answered) {
                settle(waiter, packet);
                break;
            }
        }
    }
    if (packet->descriptor >= 0) close(packet->descriptor);
}

// Takes one packet, for whoever it is. Answers as channel_receive. The lock is given back while it waits.
static int read_one(int is_waiting) {
    state.is_reading = 1;
    pthread_mutex_unlock(&state.lock);
    int result = channel_receive(&state.packet, is_waiting);
    pthread_mutex_lock(&state.lock);
    state.is_reading = 0;
    if (result > 0) dispatch(&state.packet);
    if (result < 0) state.is_closed = 1;
    pthread_cond_broadcast(&state.progress);
    return result;
}

// MARK: Functions without an answer

static void host_log(const hf_host *host, int32_t level, const char *text) {
    (void)host;
    if (!text || is_over()) return;
    channel_send_text(HF_FRAME_LOG, level, 0, text, line_max + 1);
}

static void host_progress(const hf_host *host, int32_t percent, const char *text) {
    (void)host;
    if (is_over()) return;
    channel_send_text(HF_FRAME_PROGRESS, percent < 0 || percent > 100 ? -1 : percent, 0, text, words_max + 1);
}

static int64_t host_deadline(const hf_host *host) {
    (void)host;
    if (!is_host_process()) return 0;
    int64_t left = state.order->deadline - now_ns();
    pthread_mutex_lock(&state.lock);
    if (state.is_time_over) left = 0;
    pthread_mutex_unlock(&state.lock);
    return left > 0 ? left : 0;
}

static int32_t host_cancelled(const hf_host *host) {
    if (!is_host_process()) return 1;
    pthread_mutex_lock(&state.lock);
    if (!state.is_reading) {
        while (!state.is_closed && read_one(0) > 0) {}
    }
    int is_cancelled = state.is_cancelled || state.is_closed || state.is_ended;
    pthread_mutex_unlock(&state.lock);
    return is_cancelled || host_deadline(host) == 0;
}

static const char *host_state_directory(const hf_host *host) {
    (void)host;
    return state.order->state_directory;
}

static int32_t host_set_result(const hf_host *host, const char *json, size_t length) {
    (void)host;
    if (is_over()) return over();
    if (!json || length == 0) return answer_error(HF_ERROR_INVALID, "a result is one JSON value, and this is none");
    int is_too_long = length > state.order->longest_result;
    char *copy = is_too_long ? NULL : malloc(length);
    if (copy) memcpy(copy, json, length);
    pthread_mutex_lock(&state.lock);
    if (state.is_ended) {
        // Since we looked; the result is being sent.
        pthread_mutex_unlock(&state.lock);
        free(copy);
        return over();
    }
    char *former = state.result;
    state.result = copy;
    state.result_length = copy ? length : 0;
    state.result_state = is_too_long ? HF_RESULT_TOO_LONG : copy ? HF_RESULT_SET : HF_RESULT_NONE;
    pthread_mutex_unlock(&state.lock);
    free(former);
    if (is_too_long) {
        char text[128];
        snprintf(text, sizeof text, "the result has %zu bytes, and %zu are allowed", length,
                 state.order->longest_result);
        return answer_error(HF_ERROR_TOO_LONG, text);
    }
    return copy ? answer_ok() : answer_error(HF_ERROR_FAILED, "there is no memory for a copy of the result");
}

static void host_set_failure(const hf_host *host, const char *text) {
    (void)host;
    if (!text || is_over()) return;
    pthread_mutex_lock(&state.lock);
    if (!state.is_ended) snprintf(state.failure, sizeof state.failure, "%s", text);
    pthread_mutex_unlock(&state.lock);
}

static size_t host_last_error(const hf_host *host, char *buffer, size_t capacity) {
    (void)host;
    if (buffer && capacity > 0) snprintf(buffer, capacity, "%s", error_text);
    return strlen(error_text);
}

// MARK: Requests

static int32_t answer_of(const struct waiter *waiter, const char *words, size_t *answer_length) {
    if (!waiter->is_answered) return over();
    if (waiter->status < 0) {
        size_t length = waiter->length < words_max ? waiter->length : words_max;
        memcpy(error_text, words, length);
        error_text[length] = '\0';
        return waiter->status;
    }
    if (answer_length) *answer_length = waiter->length;
    if (waiter->capacity > 0 && waiter->length > waiter->capacity) {
        char text[128];
        snprintf(text, sizeof text, "the answer has %zu bytes, and the buffer %zu", waiter->length, waiter->capacity);
        return answer_error(HF_ERROR_TOO_LONG, text);
    }
    return answer_ok();
}

static int32_t host_request(const hf_host *host, const char *name, const char *arguments, size_t length, char *answer,
                            size_t capacity, size_t *answer_length, int32_t *descriptor) {
    (void)host;
    if (answer_length) *answer_length = 0;
    if (descriptor) *descriptor = -1;
    if (!answer) capacity = 0;
    if (!name || !*name) return answer_error(HF_ERROR_INVALID, "a request needs a name");
    if (!arguments) length = 0;
    if (length > HF_ANSWER_MAX || strnlen(name, words_max) >= words_max) {
        return answer_error(HF_ERROR_TOO_LONG, "a request has at most HF_ANSWER_MAX bytes of arguments");
    }
    if (is_over()) return over();
    // An answer that is an error comes in words: there has to be room for them.
    char *room = malloc(HF_FRAME_BODY_MAX);
    if (!room) return answer_error(HF_ERROR_FAILED, "there is no memory for the answer");
    int own = -1;
    struct waiter waiter = {.answer = room, .capacity = HF_FRAME_BODY_MAX, .descriptor = &own};
    pthread_mutex_lock(&state.lock);
    waiter.number = ++state.last_number;
    waiter.next = state.waiters;
    state.waiters = &waiter;
    pthread_mutex_unlock(&state.lock);

    struct iovec pieces[] = {piece(name, strlen(name) + 1), piece(arguments, length)};
    int is_sent = channel_send(HF_FRAME_REQUEST, waiter.number, 0, pieces, 2) == 0;

    pthread_mutex_lock(&state.lock);
    if (!is_sent) state.is_closed = 1;
    while (!waiter.is_answered && !state.is_closed) {
        if (state.is_reading) {
            pthread_cond_wait(&state.progress, &state.lock);
        } else {
            read_one(1);
        }
    }
    struct waiter **link = &state.waiters;
    while (*link != &waiter) link = &(*link)->next;
    *link = waiter.next;
    pthread_mutex_unlock(&state.lock);

    if (waiter.is_answered && waiter.status >= 0) {
        size_t fitting = waiter.length < capacity ? waiter.length : capacity;
        if (fitting > 0) memcpy(answer, room, fitting);
        if (fitting < capacity) answer[fitting] = '\0';
    }
    waiter.capacity = capacity;
    int32_t status = answer_of(&waiter, room, answer_length);
    free(room);
    if (descriptor && status == HF_OK) {
        *descriptor = own;
    } else if (own >= 0) {
        close(own);
    }
    return status;
}

// Sends a request whose arguments were put together here.
static int32_t ask(const hf_host *host, const char *name, struct text *arguments, char *answer, size_t capacity,
                   size_t *answer_length, int32_t *descriptor) {
    int32_t status = arguments->is_broken
                         ? answer_error(HF_ERROR_TOO_LONG, "the arguments have more than HF_ANSWER_MAX bytes")
                         : host_request(host, name, arguments->bytes, arguments->length, answer, capacity,
                                        answer_length, descriptor);
    free(arguments->bytes);
    return status;
}

static void member(struct text *text, const char *head, const char *value) {
    text_append(text, head, strlen(head));
    text_append_quoted(text, value);
}

static int32_t host_fetch_artifact(const hf_host *host, const char *name, const char *sha256, int32_t *descriptor) {
    if (!name || !sha256 || !descriptor)
        return answer_error(HF_ERROR_INVALID, "fetch_artifact needs all of its arguments");
    struct text text = {0};
    member(&text, "{\"name\":", name);
    member(&text, ",\"sha256\":", sha256);
    text_append(&text, "}", 1);
    int32_t status = ask(host, "artifact.fetch", &text, NULL, 0, NULL, descriptor);
    if (status == HF_OK && *descriptor < 0) return answer_error(HF_ERROR_FAILED, "the artifact came without a file");
    return status;
}

static int32_t host_activate_bundle(const hf_host *host, const char *name, const char *version, char *answer,
                                    size_t capacity, size_t *answer_length) {
    if (!name || !version) return answer_error(HF_ERROR_INVALID, "activate_bundle needs a name and a version");
    struct text text = {0};
    member(&text, "{\"name\":", name);
    member(&text, ",\"version\":", version);
    text_append(&text, "}", 1);
    return ask(host, "bundle.activate", &text, answer, capacity, answer_length, NULL);
}

static int32_t host_restore_bundle(const hf_host *host, const char *name, const char *version, char *answer,
                                   size_t capacity, size_t *answer_length) {
    if (!name) return answer_error(HF_ERROR_INVALID, "restore_bundle needs a name");
    struct text text = {0};
    member(&text, "{\"name\":", name);
    member(&text, ",\"version\":", version);
    text_append(&text, "}", 1);
    return ask(host, "bundle.restore", &text, answer, capacity, answer_length, NULL);
}

static int32_t host_ask_tree(const hf_host *host, const char *method, const char *parameters, size_t length,
                             char *answer, size_t capacity, size_t *answer_length) {
    if (!method) return answer_error(HF_ERROR_INVALID, "ask_tree needs a method");
    struct text text = {0};
    member(&text, "{\"method\":", method);
    text_append(&text, ",\"parameters\":", 14);
    text_append(&text, parameters && length ? parameters : "{}", parameters && length ? length : 2);
    text_append(&text, "}", 1);
    return ask(host, "tree.ask", &text, answer, capacity, answer_length, NULL);
}

static int32_t host_emit(const hf_host *host, const char *json, size_t length) {
    if (!json || length == 0) return answer_error(HF_ERROR_INVALID, "emit needs a JSON object");
    struct text text = {0};
    text_append(&text, "{\"reading\":", 11);
    text_append(&text, json, length);
    text_append(&text, "}", 1);
    return ask(host, "telemetry.emit", &text, NULL, 0, NULL, NULL);
}

// MARK: Beginning and end

static const hf_host functions = {
    .size = sizeof(hf_host),
    .abi_version = HF_PLUGIN_ABI_VERSION,
    .context = NULL,
    .log = host_log,
    .progress = host_progress,
    .cancelled = host_cancelled,
    .deadline = host_deadline,
    .state_directory = host_state_directory,
    .set_result = host_set_result,
    .set_failure = host_set_failure,
    .last_error = host_last_error,
    .request = host_request,
    .fetch_artifact = host_fetch_artifact,
    .activate_bundle = host_activate_bundle,
    .restore_bundle = host_restore_bundle,
    .ask_tree = host_ask_tree,
    .emit = host_emit,
};

const hf_host *functions_begin(const struct order *order) {
    state.order = order;
    state.process = getpid();
    return &functions;
}

int functions_end(int32_t status) {
    pthread_mutex_lock(&state.lock);
    state.is_ended = 1;
    enum hf_result_state result_state = state.result_state;
    size_t length = state.result_length;
    pthread_mutex_unlock(&state.lock);
    // Nobody changes the result any more.
    for (size_t sent = 0; status == HF_OK && sent < length;) {
        size_t part = length - sent < HF_FRAME_BODY_MAX ? length - sent : HF_FRAME_BODY_MAX;
        struct iovec body = piece(state.result + sent, part);
        if (channel_send(HF_FRAME_RESULT, 0, 0, &body, 1) != 0) return -1;
        sent += part;
    }
    if (state.failure[0] && channel_send_text(HF_FRAME_FAILURE, 0, 0, state.failure, words_max) != 0) return -1;
    return channel_send(HF_FRAME_DONE, status, (int64_t)result_state, NULL, 0);
}
