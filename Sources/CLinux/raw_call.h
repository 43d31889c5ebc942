#pragma once
// System calls without a C library: the result, or the negated errno. The child side of a spawn uses nothing else, for
// it has neither errno nor any function of a library (see spawn_child.c).

#include "CLinux.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#if defined(__x86_64__)

static inline long raw_call(long number, long a, long b, long c, long d, long e) {
    long result;
    register long fourth __asm__("r10") = d;
    register long fifth __asm__("r8") = e;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth)
                     : "rcx", "r11", "memory");
    return result;
}

// clone3(2) for a child with a stack of its own, on which it calls `run(argument)`, which never returns.
static inline long raw_clone(void *arguments, size_t size, void (*run)(struct hf_spawn_request *), void *argument) {
    long result;
    __asm__ volatile("syscall\n\t"
                     "testq %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "xorl %%ebp, %%ebp\n\t"
                     "movq %[argument], %%rdi\n\t"
                     "callq *%[run]\n"
                     "1:"
                     : "=a"(result)
                     : "a"((long)SYS_clone3), "D"(arguments), "S"(size), [run] "r"(run), [argument] "r"(argument)
                     : "rcx", "r11", "memory", "cc");
    return result;
}

#elif defined(__aarch64__)

static inline long raw_call(long number, long a, long b, long c, long d, long e) {
    register long call __asm__("x8") = number;
    register long first __asm__("x0") = a;
    register long second __asm__("x1") = b;
    register long third __asm__("x2") = c;
    register long fourth __asm__("x3") = d;
    register long fifth __asm__("x4") = e;
    __asm__ volatile("svc #0"
                     : "+r"(first)
                     : "r"(call), "r"(second), "r"(third), "r"(fourth), "r"(fifth)
                     : "memory");
    return first;
}

static inline long raw_clone(void *arguments, size_t size, void (*run)(struct hf_spawn_request *), void *argument) {
    register long call __asm__("x8") = SYS_clone3;
    register long first __asm__("x0") = (long)(intptr_t)arguments;
    register long second __asm__("x1") = (long)size;
    __asm__ volatile("svc #0\n\t"
                     "cbnz x0, 1f\n\t"
                     "mov x29, xzr\n\t"
                     "mov x0, %[argument]\n\t"
                     "blr %[run]\n"
                     "1:"
                     : "+r"(first)
                     : "r"(call), "r"(second), [run] "r"(run), [argument] "r"(argument)
                     : "memory", "cc", "x30");
    return first;
}

#else
#error "spawning is written for x86-64 and arm64; add the system call instruction of this machine"
#endif

#define RAW_ARGUMENT(value) ((long)(intptr_t)(value))
#define CALL0(number) raw_call(number, 0, 0, 0, 0, 0)
#define CALL1(number, a) raw_call(number, RAW_ARGUMENT(a), 0, 0, 0, 0)
#define CALL2(number, a, b) raw_call(number, RAW_ARGUMENT(a), RAW_ARGUMENT(b), 0, 0, 0)
#define CALL3(number, a, b, c) raw_call(number, RAW_ARGUMENT(a), RAW_ARGUMENT(b), RAW_ARGUMENT(c), 0, 0)
#define CALL4(number, a, b, c, d) \
    raw_call(number, RAW_ARGUMENT(a), RAW_ARGUMENT(b), RAW_ARGUMENT(c), RAW_ARGUMENT(d), 0)
#define CALL5(number, a, b, c, d, e) \
    raw_call(number, RAW_ARGUMENT(a), RAW_ARGUMENT(b), RAW_ARGUMENT(c), RAW_ARGUMENT(d), RAW_ARGUMENT(e))
