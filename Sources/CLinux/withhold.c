// Keeps this process's memory out of its children. A child needs its stack, its code and its request for the moment
// between clone3 and execve; without the rest, the kernel copies no page tables, and afterwards neither process pays for
// pages that both had. It costs no safety, unlike CLONE_VM: the child still has an address space of its own.

#include "CLinux.h"
#include "spawn_child.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char *heap_start;
static char *heap_end;

static int is_needed(uint64_t start, uint64_t end) {
    uint64_t needed[4];
    hf_child_addresses(needed);
    needed[2] = (uint64_t)(uintptr_t)needed;
    // The kernel writes to the thread's rseq area, in its control block, whenever it has preempted the child.
    needed[3] = (uint64_t)(uintptr_t)__builtin_thread_pointer();
    for (int index = 0; index < 4; index++) {
        if (needed[index] >= start && needed[index] < end) return 1;
    }
    return 0;
}

int hf_withhold_memory(void) {
    FILE *maps = fopen("/proc/self/maps", "re");
    if (!maps) return -1;
    char line[512];
    while (fgets(line, sizeof line, maps)) {
        unsigned long start, end;
        if (sscanf(line, "%lx-%lx", &start, &end) != 2 || is_needed(start, end)) continue;
        // The kernel keeps some mappings of its own as they are; they cost nothing.
        (void)madvise((void *)start, end - start, MADV_DONTFORK);
        if (strstr(line, "[heap]")) {
            heap_start = (char *)start;
            heap_end = (char *)end;
        }
    }
    return fclose(maps);
}

void hf_withhold_new_heap(void) {
    if (!heap_start) return;
    char *end = sbrk(0);
    // What it grows by is a new mapping.
    if (end > heap_end) (void)madvise(heap_end, (size_t)(end - heap_end), MADV_DONTFORK);
    heap_end = end;
}
