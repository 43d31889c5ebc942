// What is in the plugin. Everything that is wrong is said, not only the first of it: an author wants to mend it in one go.

#include "host.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { kinds_max = 32, grants_max = 16, name_max = 48, kind_max = 64, version_max = 32, words_max = 1024 };

static int faults;

void fault(enum hf_fault code, const char *format, ...) {
    char text[words_max];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    faults++;
    channel_send_text(HF_FRAME_FAULT, (int32_t)code, 0, text, sizeof text);
}

// The linker's words, without the place in /proc that nobody knows.
static const char *reason(const char *path) {
    const char *words = dlerror();
    if (!words) return "the dynamic linker does not say why";
    size_t length = strlen(path);
    if (strncmp(words, path, length) == 0 && strncmp(words + length, ": ", 2) == 0) return words + length + 2;
    return words;
}

const hf_plugin_descriptor *library_load(int library) {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", library);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        fault(HF_FAULT_LOAD, "it cannot be loaded: %s", reason(path));
        return NULL;
    }
    // It is mapped now; and what the plugin starts has nothing to do with it.
    close(library);
    void *symbol = dlsym(handle, HF_PLUGIN_ENTRY);
    if (!symbol) {
        if (dlsym(handle, "hf_plugin_entry_v2")) {
            fault(HF_FAULT_ABI, "it was built for version 2 of the plugin ABI, and this Holdfast knows version %u",
                  HF_PLUGIN_ABI_VERSION);
        } else {
            fault(HF_FAULT_ENTRY, "it does not export %s (is the function static, hidden, or mangled by C++?)",
                  HF_PLUGIN_ENTRY);
        }
        return NULL;
    }
    hf_plugin_entry entry;
    memcpy(&entry, &symbol, sizeof entry); // POSIX lets a void pointer be a function, ISO C does not
    const hf_plugin_descriptor *descriptor = entry();
    if (!descriptor) fault(HF_FAULT_ENTRY, "its %s returns null instead of a descriptor", HF_PLUGIN_ENTRY);
    return descriptor;
}

const hf_plugin_kind *descriptor_kind(const hf_plugin_descriptor *descriptor, uint32_t index) {
    return (const hf_plugin_kind *)(const void *)((const char *)descriptor->kinds +
                                                  (size_t)index * descriptor->kind_size);
}

static int is_word_character(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }

static int is_name(const char *text) {
    if (strnlen(text, name_max + 1) > name_max || *text < 'a' || *text > 'z') return 0;
    for (; *text; text++) {
        if (!is_word_character(*text)) return 0;
    }
    return 1;
}

static int is_kind_name(const char *text) {
    if (strnlen(text, kind_max + 1) > kind_max) return 0;
    int dots = 0;
    char previous = '.';
    for (; *text; previous = *text++) {
        if (*text == '.' ? previous == '.' : !is_word_character(*text)) return 0;
        dots += *text == '.';
    }
    return dots > 0 && previous != '.';
}

static int is_version(const char *text) {
    size_t length = strnlen(text, version_max + 1);
    if (length == 0 || length > version_max) return 0;
    for (; *text; text++) {
        if (!is_word_character(*text) && !(*text >= 'A' && *text <= 'Z') && *text != '.' && *text != '+') return 0;
    }
    return 1;
}

static int is_grant(const char *text) {
    static const char *const known[] = {"artifact",     "bundle",    "model",  "tree-read",
                                        "tree-control", "telemetry", "network"};
    for (size_t index = 0; index < sizeof known / sizeof *known; index++) {
        if (strcmp(text, known[index]) == 0) return 1;
    }
    return 0;
}

static void check_kinds(const hf_plugin_descriptor *descriptor) {
    if (descriptor->kind_count == 0 || descriptor->kind_count > kinds_max || !descriptor->kinds) {
        fault(HF_FAULT_DESCRIPTOR, "it executes %u kinds of command; 1 to %d are possible",
              descriptor->kinds ? descriptor->kind_count : 0, kinds_max);
        return;
    }
    if (descriptor->kind_size < HF_PLUGIN_KIND_MIN || descriptor->kind_size % sizeof(void *) != 0) {
        fault(HF_FAULT_DESCRIPTOR, "kind_size is %u, and has to be sizeof(hf_plugin_kind): at least %u",
              descriptor->kind_size, HF_PLUGIN_KIND_MIN);
        return;
    }
    for (uint32_t index = 0; index < descriptor->kind_count; index++) {
        const hf_plugin_kind *kind = descriptor_kind(descriptor, index);
        if (!kind->name || !is_kind_name(kind->name)) {
            fault(HF_FAULT_DESCRIPTOR,
                  "kind %u is called '%.80s'; it has to be words of a-z, 0-9 and - joined by dots, such as lamp.blink",
                  index + 1, kind->name ? kind->name : "(null)");
            continue;
        }
        uint32_t unknown = kind->flags & ~(uint32_t)(HF_KIND_PARALLEL | HF_KIND_REPEATABLE | HF_KIND_CANCELLABLE);
        if (unknown)
            fault(HF_FAULT_DESCRIPTOR, "%s has flags that this Holdfast does not know (0x%x)", kind->name, unknown);
        if (kind->reserved)
            fault(HF_FAULT_DESCRIPTOR, "%s: reserved is %u, and has to be 0", kind->name, kind->reserved);
        for (uint32_t before = 0; before < index; before++) {
            const hf_plugin_kind *other = descriptor_kind(descriptor, before);
            if (other->name && strcmp(other->name, kind->name) == 0)
                fault(HF_FAULT_DESCRIPTOR, "it has the kind %s twice", kind->name);
        }
    }
}

static void check_grants(const hf_plugin_descriptor *descriptor, int is_inspection) {
    if (descriptor->grant_count > grants_max || (descriptor->grant_count > 0 && !descriptor->grants)) {
        fault(HF_FAULT_DESCRIPTOR, "it wishes for %u grants%s; at most %d are possible", descriptor->grant_count,
              descriptor->grants ? "" : " and names none", grants_max);
        return;
    }
    // A wish that this version does not know grants nothing, and is no reason to refuse a plugin that can do without.
    if (!is_inspection) return;
    for (uint32_t index = 0; index < descriptor->grant_count; index++) {
        const char *grant = descriptor->grants[index];
        if (!grant || !is_grant(grant)) {
            fault(HF_FAULT_DESCRIPTOR,
                  "it wishes for the grant '%.80s'; there are artifact, bundle, model, tree-read, tree-control, "
                  "telemetry, network",
                  grant ? grant : "(null)");
        }
    }
}

int descriptor_check(const hf_plugin_descriptor *descriptor, int is_inspection) {
    int before = faults;
    if (descriptor->abi_version != HF_PLUGIN_ABI_VERSION) {
        fault(HF_FAULT_ABI, "it was built for version %u of the plugin ABI, and this Holdfast knows version %u",
              descriptor->abi_version, HF_PLUGIN_ABI_VERSION);
        return faults - before;
    }
    if (descriptor->size < HF_PLUGIN_DESCRIPTOR_MIN) {
        fault(HF_FAULT_DESCRIPTOR,
              "its descriptor says that it has %u bytes, and %u are the least: size has to be "
              "sizeof(hf_plugin_descriptor)",
              descriptor->size, HF_PLUGIN_DESCRIPTOR_MIN);
        return faults - before;
    }
    if (!descriptor->name || !is_name(descriptor->name)) {
        fault(HF_FAULT_DESCRIPTOR,
              "its name is '%.80s'; it has to be of a-z, 0-9 and -, beginning with a letter, at most %d bytes",
              descriptor->name ? descriptor->name : "(null)", name_max);
    }
    if (!descriptor->version || !is_version(descriptor->version)) {
        fault(HF_FAULT_DESCRIPTOR,
              "its version is '%.80s'; it has to be of letters, digits, '.', '-' and '+', at most %d bytes",
              descriptor->version ? descriptor->version : "(null)", version_max);
    }
    if (descriptor->reserved)
        fault(HF_FAULT_DESCRIPTOR, "reserved is %u in its descriptor, and has to be 0", descriptor->reserved);
    if (!descriptor->execute) fault(HF_FAULT_DESCRIPTOR, "its descriptor has no function execute");
    check_kinds(descriptor);
    check_grants(descriptor, is_inspection);
    return faults - before;
}

static void fact(enum hf_fact what, int64_t value, const char *text, const char *summary) {
    // With the NUL byte between them.
    const char *first = text ? text : "";
    struct iovec pieces[] = {piece(first, strnlen(first, words_max)), piece("", 1),
                             piece(summary, summary ? strnlen(summary, words_max) : 0)};
    channel_send(HF_FRAME_FACT, (int32_t)what, value, pieces, 3);
}

void descriptor_describe(const hf_plugin_descriptor *descriptor) {
    fact(HF_FACT_SIZE, descriptor->size, NULL, NULL);
    fact(HF_FACT_ABI, descriptor->abi_version, NULL, NULL);
    if (descriptor->abi_version != HF_PLUGIN_ABI_VERSION || descriptor->size < HF_PLUGIN_DESCRIPTOR_MIN) return;
    fact(HF_FACT_NAME, 0, descriptor->name, NULL);
    fact(HF_FACT_VERSION, 0, descriptor->version, NULL);
    if (descriptor->summary) fact(HF_FACT_SUMMARY, 0, descriptor->summary, NULL);
    int has_kinds = descriptor->kinds && descriptor->kind_count <= kinds_max &&
                    descriptor->kind_size >= HF_PLUGIN_KIND_MIN && descriptor->kind_size % sizeof(void *) == 0;
    for (uint32_t index = 0; has_kinds && index < descriptor->kind_count; index++) {
        const hf_plugin_kind *kind = descriptor_kind(descriptor, index);
        fact(HF_FACT_KIND, kind->flags, kind->name, kind->summary);
    }
    int has_grants = descriptor->grants && descriptor->grant_count <= grants_max;
    for (uint32_t index = 0; has_grants && index < descriptor->grant_count; index++) {
        fact(HF_FACT_GRANT, 0, descriptor->grants[index], NULL);
    }
}
