#pragma once
// What the files of the child side share (see spawn_child.c for what they may use).

#include "CLinux.h"

#include <fcntl.h>
#include <stdnoreturn.h>
#include <sys/syscall.h>

// A sanitizer's instrumentation is made of calls into its library, and vector registers are filled from constants that the
// compiler places where it likes.
#define CHILD_SIDE_PRAGMA(words) _Pragma(#words)
#define CHILD_SIDE_PUSH(attributes) \
    CHILD_SIDE_PRAGMA(clang attribute push(__attribute__((attributes)), apply_to = function))
#define CHILD_SIDE_BEGIN                                                      \
    CHILD_SIDE_PUSH(disable_sanitizer_instrumentation) CHILD_SIDE_PUSH(no_stack_protector) \
    CHILD_SIDE_PUSH(target("general-regs-only"))
#define CHILD_SIDE_END \
    _Pragma("clang attribute pop") _Pragma("clang attribute pop") _Pragma("clang attribute pop")

// In a section of its own: linkers put the other constants of a Swift program next to its variables, which are withheld.
#define CONSTANT static const __attribute__((section("hf_child_constants")))

CHILD_SIDE_BEGIN

#include "raw_call.h"

// In place of each answer below: negative is an error number, as the kernel gives it.
typedef long answer;

static inline noreturn void fail_at(const struct hf_spawn_request *request, int32_t step, int32_t index, answer error) {
    struct hf_spawn_report message;
    message.step = step;
    message.index = index;
    message.error = (int32_t)-error;
    // One packet: it is written whole.
    CALL3(SYS_write, request->report, &message, sizeof message);
    for (;;) CALL1(SYS_exit_group, 127);
}

static inline noreturn void fail(const struct hf_spawn_request *request, int32_t step, answer error) {
    fail_at(request, step, 0, error);
}

static inline answer write_file(int directory, const char *path, const char *text, size_t length) {
    answer file = CALL4(SYS_openat, directory, path, O_WRONLY | O_CLOEXEC, 0);
    if (file < 0) return file;
    answer written = CALL3(SYS_write, file, text, length);
    CALL1(SYS_close, file);
    return written;
}

/// Namespaces, mounts, and what keeps a process from undoing them. Ends the process when a step fails.
__attribute__((visibility("hidden"))) void hf_enter_sandbox(const struct hf_spawn_request *request);

CHILD_SIDE_END
