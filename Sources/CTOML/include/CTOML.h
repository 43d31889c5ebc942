#pragma once
// toml++ behind a C interface: a document becomes one flat list of nodes with the line and column of every key and
// value. C++ types and exceptions stay on the other side. No policy lives here: what keys mean is Configuration's.

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

/// The most parts of a dotted key, and the deepest nesting of values: toml++ frees tables by recursion, so that the
/// depth of a document must be bounded before it is parsed.
#define HF_TOML_MAX_DEPTH 32

/// The most table headers and dots of dotted keys together: toml++ takes quadratic time in their number.
#define HF_TOML_MAX_HEADERS 32768

enum {
    hf_toml_table = 0,
    hf_toml_array = 1,
    hf_toml_string = 2,
    hf_toml_integer = 3,
    hf_toml_float = 4,
    hf_toml_boolean = 5,
    hf_toml_date = 6,
    hf_toml_time = 7,
    hf_toml_date_time = 8,
};

/// A place in the text. Both count from 1, columns in code points; 0 when unknown.
typedef struct hf_toml_position {
    uint32_t line;
    uint32_t column;
} hf_toml_position;

/// UTF-8, not terminated, owned by the document; may hold NUL.
typedef struct hf_toml_text {
    const char *_Nullable bytes;
    size_t count;
} hf_toml_text;

/// A value, in the order of the text; a table or array is followed by its children, each by its own.
typedef struct hf_toml_node {
    int32_t kind;
    /// Direct children of a table or array.
    uint32_t child_count;
    /// In a table: the node's key and where it stands. Empty for elements of arrays and for the document.
    hf_toml_text key;
    hf_toml_position key_position;
    /// Where the value begins; a table with a header begins at its first bracket.
    hf_toml_position position;
    /// Of a string.
    hf_toml_text string;
    /// Of an integer; 0 or 1 of a boolean.
    int64_t integer;
    /// Of a float.
    double real;
} hf_toml_node;

typedef struct hf_toml_document hf_toml_document;

/// Parses UTF-8 text. Returns null only when memory is exhausted; a text that is no TOML gives a document with a
/// failure. Free it with hf_toml_free.
hf_toml_document *_Nullable hf_toml_parse(const uint8_t *_Nullable bytes, size_t count);

/// The reason why the text is no TOML, and where; null when it is.
const hf_toml_text *_Nullable hf_toml_failure(const hf_toml_document *document, hf_toml_position *position);

/// The nodes, the document's own table first; none after a failure. Valid until the document is freed.
const hf_toml_node *_Nullable hf_toml_nodes(const hf_toml_document *document, size_t *count);

void hf_toml_free(hf_toml_document *_Nullable document);

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif
