// Keeps this process's memory out of its children. A child needs its code, its request and its stack for the moment
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

static int is_needed(uint64_t start, uint64_t end) {
    uint64_t needed[3];
    hf_child_addresses(needed);
    // The kernel writes to the thread's rseq area, in its control block, whenever it has preempted the child.
    needed[2] = (uint64_t)(uintptr_t)__builtin_thread_pointer();
    for (int index = 0; index < 3; index++) {
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
        if (strstr(line, "[heap]")) heap_start = (char *)start;
    }
    return fclose(maps);
}

void hf_withhold_new_heap(void) {
    // What the heap has grown by, perhaps after it had shrunk, is a new mapping; the rest costs no time.
    if (heap_start) (void)madvise(heap_start, (size_t)((char *)sbrk(0) - heap_start), MADV_DONTFORK);
}
