// The files are embedded by the compiler, the SDK's and the header from where they are: a template cannot fall behind.
#include "CPluginTemplates.h"

#include <string.h>

// Part of C23, and an extension of this compiler in older ones.
#pragma clang diagnostic ignored "-Wc23-extensions"

#define EMBEDDED(name) static const char name[]

EMBEDDED(header) = {
#embed "../CPluginABI/include/holdfast_plugin.h"
};
EMBEDDED(command) = {
#embed "command.json.template"
};
EMBEDDED(c_source) = {
#embed "c/plugin.c.template"
};
EMBEDDED(c_makefile) = {
#embed "c/Makefile.template"
};
EMBEDDED(c_readme) = {
#embed "c/README.md.template"
};
EMBEDDED(swift_package) = {
#embed "swift/Package.swift.template"
};
EMBEDDED(swift_source) = {
#embed "swift/plugin.swift.template"
};
EMBEDDED(swift_makefile) = {
#embed "swift/Makefile.template"
};
EMBEDDED(swift_readme) = {
#embed "swift/README.md.template"
};
EMBEDDED(sdk_executor) = {
#embed "../HoldfastPlugin/Executor.swift"
};
EMBEDDED(sdk_description) = {
#embed "../HoldfastPlugin/PluginDescription.swift"
};
EMBEDDED(sdk_command) = {
#embed "../HoldfastPlugin/Command.swift"
};
EMBEDDED(sdk_host) = {
#embed "../HoldfastPlugin/Host.swift"
};
EMBEDDED(sdk_host_error) = {
#embed "../HoldfastPlugin/HostError.swift"
};
EMBEDDED(sdk_entry) = {
#embed "../HoldfastPlugin/PluginEntry.swift"
};
EMBEDDED(sdk_json) = {
#embed "../HoldfastPlugin/JSON.swift"
};
EMBEDDED(sdk_json_parsing) = {
#embed "../HoldfastPlugin/JSON+Parsing.swift"
};
EMBEDDED(abi_source) = {
#embed "../CPluginABI/header.c"
};

#define FILE_AT(path, bytes) {path, bytes, sizeof bytes}

static const struct hf_template_file c_files[] = {
    FILE_AT("@NAME@.c", c_source),
    FILE_AT("holdfast_plugin.h", header),
    FILE_AT("Makefile", c_makefile),
    FILE_AT("command.json", command),
    FILE_AT("README.md", c_readme),
};

static const struct hf_template_file swift_files[] = {
    FILE_AT("Package.swift", swift_package),
    FILE_AT("Makefile", swift_makefile),
    FILE_AT("command.json", command),
    FILE_AT("README.md", swift_readme),
    FILE_AT("Sources/@TYPE@/@TYPE@.swift", swift_source),
    FILE_AT("Sources/CPluginABI/include/holdfast_plugin.h", header),
    FILE_AT("Sources/CPluginABI/header.c", abi_source),
    FILE_AT("Sources/HoldfastPlugin/Executor.swift", sdk_executor),
    FILE_AT("Sources/HoldfastPlugin/PluginDescription.swift", sdk_description),
    FILE_AT("Sources/HoldfastPlugin/Command.swift", sdk_command),
    FILE_AT("Sources/HoldfastPlugin/Host.swift", sdk_host),
    FILE_AT("Sources/HoldfastPlugin/HostError.swift", sdk_host_error),
    FILE_AT("Sources/HoldfastPlugin/PluginEntry.swift", sdk_entry),
    FILE_AT("Sources/HoldfastPlugin/JSON.swift", sdk_json),
    FILE_AT("Sources/HoldfastPlugin/JSON+Parsing.swift", sdk_json_parsing),
};

const struct hf_template_file *hf_template_files(const char *language, size_t *count) {
    if (strcmp(language, "c") == 0) {
        *count = sizeof c_files / sizeof *c_files;
        return c_files;
    }
    if (strcmp(language, "swift") == 0) {
        *count = sizeof swift_files / sizeof *swift_files;
        return swift_files;
    }
    *count = 0;
    return NULL;
}
