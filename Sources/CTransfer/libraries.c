#include "libraries.h"
#include "CTransfer.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

struct hf_libraries hf_libraries;

static int is_loaded;

struct symbol {
    const char *name;
    void **place;
};

// POSIX has dlsym(3) give functions as object pointers.
#define HF_SYMBOL(name) {#name, (void **)&hf_libraries.p_##name},

static int open_library(const char *library, const char *package, const struct symbol *symbols, size_t count,
                        char *problem, size_t size) {
    // Lazily: most of what these libraries link to is never called.
    void *handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
    if (!handle) {
        snprintf(problem, size, "%s cannot be loaded (%s); install the package %s", library, dlerror(), package);
        return -1;
    }
    for (size_t index = 0; index < count; index++) {
        *symbols[index].place = dlsym(handle, symbols[index].name);
        if (*symbols[index].place) continue;
        snprintf(problem, size, "%s has no %s; a newer one is needed", library, symbols[index].name);
        return -1;
    }
    return 0;
}

#define OPEN(library, package, functions)                                                                              \
    do {                                                                                                               \
        const struct symbol symbols[] = {functions(HF_SYMBOL)};                                                        \
        if (open_library(library, package, symbols, sizeof symbols / sizeof *symbols, problem, size)) return -1;       \
    } while (0)

int hf_transfer_load(char *problem, size_t size) {
    if (is_loaded) return 0;
    // libcurl first: it brings the OpenSSL that the others have to be from.
    OPEN("libcurl.so.4", "libcurl4", HF_CURL_FUNCTIONS);
    OPEN("libcrypto.so.3", "libssl3", HF_CRYPTO_FUNCTIONS);
    OPEN("libssl.so.3", "libssl3", HF_SSL_FUNCTIONS);
    OPEN("libz.so.1", "zlib1g", HF_ZLIB_FUNCTIONS);
    CURLcode code = CALL(curl_global_init)(CURL_GLOBAL_DEFAULT);
    if (code) {
        snprintf(problem, size, "curl_global_init: %s", CALL(curl_easy_strerror)(code));
        return -1;
    }
    const curl_version_info_data *version = CALL(curl_version_info)(CURLVERSION_NOW);
    // Central's certificate is checked through an SSL_CTX: that of another TLS library, or of another OpenSSL, is none.
    if (!version->ssl_version || strncmp(version->ssl_version, "OpenSSL/3", 9)) {
        snprintf(problem, size, "libcurl.so.4 uses %s for TLS, and OpenSSL 3 is needed; install the package libcurl4",
                 version->ssl_version ? version->ssl_version : "nothing");
        return -1;
    }
    is_loaded = 1;
    return 0;
}
