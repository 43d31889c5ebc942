#include "bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void fail(const char *format, ...) {
    va_list list;
    va_start(list, format);
    fprintf(stderr, "fleet_load: ");
    vfprintf(stderr, format, list);
    fprintf(stderr, "\n");
    exit(1);
}

static void make_room(struct bytes *bytes, size_t more) {
    if (bytes->size + more < bytes->room) return;
    bytes->room = bytes->size + more + 1 + (bytes->room < 65536 ? bytes->room : bytes->room / 2);
    if (!(bytes->data = realloc(bytes->data, bytes->room))) fail("no memory");
}

void bytes_add(struct bytes *bytes, const void *data, size_t size) {
    make_room(bytes, size);
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
    bytes->data[bytes->size] = 0;
}

void bytes_print(struct bytes *bytes, const char *format, ...) {
    va_list list, again;
    va_start(list, format);
    va_copy(again, list);
    size_t free_bytes = bytes->room > bytes->size ? bytes->room - bytes->size : 0;
    int size = vsnprintf(free_bytes ? bytes->data + bytes->size : NULL, free_bytes, format, list);
    if (size < 0) fail("vsnprintf");
    if ((size_t)size >= free_bytes) {
        make_room(bytes, (size_t)size);
        vsnprintf(bytes->data + bytes->size, (size_t)size + 1, format, again);
    }
    bytes->size += (size_t)size;
    va_end(again);
    va_end(list);
}

void bytes_free(struct bytes *bytes) {
    free(bytes->data);
    *bytes = (struct bytes){0};
}

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

void base64_write(bool is_url, const uint8_t *bytes, size_t size, char *text) {
    const char *last = is_url ? "-_" : "+/";
    char *out = text;
    uint32_t buffer = 0;
    int bits = 0;
    for (size_t i = 0; i < size || bits > 0;) {
        if (bits < 6 && i < size) {
            buffer = buffer << 8 | bytes[i++];
            bits += 8;
        } else if (bits < 6) { // the end: filled up with zeros
            buffer <<= 6 - bits;
            bits = 6;
        }
        while (bits >= 6) {
            uint32_t value = buffer >> (bits -= 6) & 63;
            *out++ = value < 62 ? digits[value] : last[value - 62];
        }
    }
    while (!is_url && (out - text) % 4) *out++ = '=';
    *out = 0;
}

long base64_read(const char *text, size_t size, uint8_t *bytes, size_t room) {
    uint32_t buffer = 0;
    int bits = 0;
    size_t count = 0;
    for (size_t i = 0; i < size; i++) {
        const char *digit = text[i] ? strchr(digits, text[i]) : NULL;
        uint32_t value = digit ? (uint32_t)(digit - digits) : text[i] == '-' ? 62 : text[i] == '_' ? 63 : 64;
        if (value > 63) return -1;
        buffer = buffer << 6 | value;
        if ((bits += 6) < 8) continue;
        if (count == room) return -1;
        bytes[count++] = (uint8_t)(buffer >> (bits -= 8));
    }
    return (long)count;
}

const char *json_member(const char *json, const char *name) {
    size_t size = strlen(name);
    for (const char *place = json; (place = strstr(place, name)); place += size) {
        if (place == json || place[-1] != '"' || place[size] != '"') continue;
        const char *value = place + size + 1;
        value += strspn(value, " ");
        if (*value++ != ':') continue;
        return value + strspn(value, " ");
    }
    return NULL;
}

bool json_text(const char *json, const char *name, char *text, size_t room) {
    const char *value = json_member(json, name);
    if (!value || *value != '"') return false;
    snprintf(text, room, "%.*s", (int)strcspn(value + 1, "\""), value + 1);
    return true;
}

double json_number(const char *json, const char *name, double missing) {
    const char *value = json_member(json, name);
    char *end;
    if (!value) return missing;
    double number = strtod(value, &end);
    return end == value ? missing : number;
}
