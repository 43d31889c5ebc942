// The files of a new plugin, carried in the program: `holdfast plugin new` works on a machine that has nothing else of Holdfast.
#pragma once
#include <stddef.h>

#pragma clang assume_nonnull begin

struct hf_template_file {
    /// Below the plugin's folder. "@NAME@" stands for the plugin's name here and in the contents, "@TYPE@" for the same as a Swift
    /// type.
    const char *path;
    const char *bytes;
    size_t length;
};

/// The files for a language, "c" or "swift"; null for any other.
const struct hf_template_file *_Nullable hf_template_files(const char *language, size_t *count);

#pragma clang assume_nonnull end
