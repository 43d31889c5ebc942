// Gives back what this process holds and does not need at the moment.

#include "CLinux.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

// What a file still has and nobody here has changed: the kernel brings a page of it back when it is next looked at.
static int release_object(struct dl_phdr_info *object, size_t size, void *argument) {
    (void)size;
    (void)argument;
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int index = 0; index < object->dlpi_phnum; index++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[index];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W)) continue;
        // What relocations have written to is in writable segments, also where it is read-only by now.
        uintptr_t start = (object->dlpi_addr + segment->p_vaddr) & ~(page - 1);
        uintptr_t end = object->dlpi_addr + segment->p_vaddr + segment->p_filesz;
        (void)madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}

void hf_release_memory(void) {
    malloc_trim(0);
    dl_iterate_phdr(release_object, NULL);
}

void hf_share_heap(void) { (void)mallopt(M_ARENA_MAX, 1); }
