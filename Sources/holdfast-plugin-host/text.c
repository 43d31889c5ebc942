// JSON for requests: the few objects that host functions make of their arguments. What is not UTF-8 is passed on, for the
// other side's parser to refuse.

#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_append(struct text *text, const char *bytes, size_t length) {
    if (text->is_broken) return;
    // Longer ones are refused in any case.
    if (length > HF_ANSWER_MAX || text->length + length > HF_ANSWER_MAX + 1) {
        text->is_broken = 1;
        return;
    }
    if (text->length + length > text->capacity) {
        size_t capacity = 2 * (text->length + length) + 256;
        char *grown = realloc(text->bytes, capacity);
        if (!grown) {
            text->is_broken = 1;
            return;
        }
        text->bytes = grown;
        text->capacity = capacity;
    }
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
}

void text_append_quoted(struct text *text, const char *string) {
    if (!string) {
        text_append(text, "null", 4);
        return;
    }
    text_append(text, "\"", 1);
    for (const char *next = string; *next && !text->is_broken; next++) {
        unsigned char byte = (unsigned char)*next;
        if (byte == '"' || byte == '\\') {
            const char escaped[] = {'\\', *next};
            text_append(text, escaped, 2);
        } else if (byte < 0x20) {
            char escaped[8];
            snprintf(escaped, sizeof escaped, "\\u%04x", byte);
            text_append(text, escaped, 6);
        } else {
            text_append(text, next, 1);
        }
    }
    text_append(text, "\"", 1);
}
