// Bytes that grow, and the few things read out of JSON.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    char *data; // ends with a zero that is not counted
    size_t size, room;
};

void bytes_add(struct bytes *bytes, const void *data, size_t size);
__attribute__((format(printf, 2, 3))) void bytes_print(struct bytes *bytes, const char *format, ...);
void bytes_free(struct bytes *bytes);

// Base64 (RFC 4648): of section 4 with padding, or of section 5 without. `text` has room for 4/3 and a zero.
void base64_write(bool is_url, const uint8_t *bytes, size_t size, char *text);
// Of section 5. How many bytes came of it, at most `room`; -1 when it is none.
long base64_read(const char *text, size_t size, uint8_t *bytes, size_t room);

// The value of the first member of that name in whatever object of the text, or null: enough for answers whose shape is
// known.
const char *json_member(const char *json, const char *name);
// A text without escapes, as far as there is room; false when there is none of that name.
bool json_text(const char *json, const char *name, char *text, size_t room);
// `missing` when there is none of that name.
double json_number(const char *json, const char *name, double missing);

// Says what failed, and ends the program.
_Noreturn __attribute__((format(printf, 1, 2))) void fail(const char *format, ...);
