// A library that needs every type of holdfast_plugin.h: what abidw records, and abidiff compares.

#include "holdfast_plugin.h"

#define SEEN __attribute__((visibility("default")))

SEEN const hf_plugin_descriptor *hf_plugin_entry_v1(void) { return 0; }
SEEN hf_plugin_entry hf_probe_entry(void) { return hf_plugin_entry_v1; }
SEEN int32_t hf_probe(const hf_host *host, const hf_command *command, const hf_plugin_kind *kind) {
    return host && command && kind;
}

// What no debugging information of these types has: the values of constants.
_Static_assert(HF_PLUGIN_ABI_VERSION == 1, "the version of the ABI");
_Static_assert(HF_ANSWER_MAX == 49152 && HF_RESULT_MAX == 131072, "the promised sizes");
_Static_assert(HF_OK == 0 && HF_ERROR_FAILED == -1 && HF_ERROR_REFUSED == -2 && HF_ERROR_INVALID == -3 &&
                   HF_ERROR_TOO_LONG == -4 && HF_ERROR_CANCELLED == -5 && HF_ERROR_ENDED == -6 &&
                   HF_ERROR_UNSUPPORTED == -7,
               "the codes of errors");
_Static_assert(HF_LOG_DEBUG == 0 && HF_LOG_INFO == 1 && HF_LOG_WARNING == 2 && HF_LOG_ERROR == 3, "the levels");
_Static_assert(HF_KIND_PARALLEL == 1 && HF_KIND_REPEATABLE == 2 && HF_KIND_CANCELLABLE == 4, "the flags of kinds");
// The first release's, whatever has grown since: 64 bits and 32.
_Static_assert(HF_PLUGIN_DESCRIPTOR_MIN == (sizeof(void *) == 8 ? 72 : 48), "the shortest descriptor");
_Static_assert(HF_PLUGIN_KIND_MIN == (sizeof(void *) == 8 ? 24 : 16), "the shortest kind");
