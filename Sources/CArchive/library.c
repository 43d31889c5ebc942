#include "library.h"
#include "CArchive.h"

#include <dlfcn.h>
#include <stdio.h>

#define HF_SYMBOL(name) {#name, (void **)&hf_archive_functions.p_##name},

struct hf_archive_functions hf_archive_functions;

static int is_loaded;

int hf_archive_load(char *problem, size_t size) {
    // POSIX has dlsym(3) give functions as object pointers.
    const struct {
        const char *name;
        void **place;
    } symbols[] = {HF_FUNCTIONS(HF_SYMBOL)};
    if (is_loaded) return 0;
    // Lazily: most of what it links to is for other formats.
    void *handle = dlopen("libarchive.so.13", RTLD_LAZY | RTLD_LOCAL);
    if (!handle) {
        snprintf(problem, size, "libarchive.so.13 cannot be loaded (%s); install the package libarchive13", dlerror());
        return -1;
    }
    for (size_t index = 0; index < sizeof symbols / sizeof *symbols; index++) {
        *symbols[index].place = dlsym(handle, symbols[index].name);
        if (*symbols[index].place) continue;
        snprintf(problem, size, "libarchive.so.13 has no %s; a newer one is needed", symbols[index].name);
        return -1;
    }
    is_loaded = 1;
    return 0;
}
