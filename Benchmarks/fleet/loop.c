#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

struct timer {
    int64_t at;
    void (*fire)(void *context, int64_t due);
    void *context;
};

static int events;
static struct timer *timers; // a binary heap, the earliest first
static size_t timer_count, timer_room;
struct samples loop_lateness;

static int64_t clock_ns(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * SECOND + time.tv_nsec;
}

int64_t monotonic_ns(void) { return clock_ns(CLOCK_MONOTONIC); }
int64_t wall_ms(void) { return clock_ns(CLOCK_REALTIME) / 1000000; }

void loop_start(void) {
    if ((events = epoll_create1(EPOLL_CLOEXEC)) < 0) fail("epoll_create1: %s", strerror(errno));
}

void loop_watch(int descriptor, struct watch *watch) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = watch};
    if (epoll_ctl(events, EPOLL_CTL_ADD, descriptor, &event) < 0) fail("epoll_ctl: %s", strerror(errno));
}

static void swap(size_t a, size_t b) {
    struct timer timer = timers[a];
    timers[a] = timers[b];
    timers[b] = timer;
}

void loop_at(int64_t at, void (*fire)(void *context, int64_t due), void *context) {
    if (timer_count == timer_room) {
        timer_room = timer_room ? timer_room * 2 : 1024;
        if (!(timers = realloc(timers, timer_room * sizeof *timers))) fail("no memory");
    }
    size_t place = timer_count++;
    timers[place] = (struct timer){at, fire, context};
    for (; place > 0 && timers[(place - 1) / 2].at > timers[place].at; place = (place - 1) / 2)
        swap(place, (place - 1) / 2);
}

static struct timer take_first(void) {
    struct timer first = timers[0];
    timers[0] = timers[--timer_count];
    for (size_t place = 0;;) {
        size_t least = place, left = place * 2 + 1;
        for (size_t child = left; child <= left + 1 && child < timer_count; child++)
            if (timers[child].at < timers[least].at) least = child;
        if (least == place) return first;
        swap(place, least);
        place = least;
    }
}

bool loop_until(const bool *is_done, int64_t at) {
    while (!*is_done) {
        int64_t now = monotonic_ns(), next = at;
        if (now >= at) break;
        if (timer_count && timers[0].at < next) next = timers[0].at;
        int64_t wait = next > now ? next - now : 0;
        struct epoll_event ready[256];
        int count = epoll_pwait2(events, ready, 256, &(struct timespec){wait / SECOND, wait % SECOND}, NULL);
        if (count < 0 && errno != EINTR) fail("epoll_pwait2: %s", strerror(errno));
        for (int i = 0; i < count; i++) {
            struct watch *watch = ready[i].data.ptr;
            watch->ready(watch);
        }
        now = monotonic_ns();
        // No more than are due now, so that descriptors get their turn.
        while (timer_count && timers[0].at <= now) {
            struct timer timer = take_first();
            samples_add(&loop_lateness, now - timer.at);
            timer.fire(timer.context, timer.at);
        }
    }
    return *is_done;
}
