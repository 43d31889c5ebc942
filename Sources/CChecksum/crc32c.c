#include "CChecksum.h"

#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>
#endif

#define POLYNOMIAL 0x82f63b78u // reflected

// Eight bytes at a time: tables[n][b] is what byte b does n bytes further on.
static uint32_t tables[8][256];

__attribute__((constructor)) static void make_tables(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
        tables[0][byte] = crc;
    }
    for (uint32_t byte = 0; byte < 256; byte++) {
        for (int place = 1; place < 8; place++) {
            uint32_t former = tables[place - 1][byte];
            tables[place][byte] = former >> 8 ^ tables[0][former & 255];
        }
    }
}

uint32_t hf_crc32c_by_table(uint32_t crc, const void *bytes, size_t count) {
    const unsigned char *next = bytes;
    crc = ~crc;
    for (; count >= 8; count -= 8, next += 8) {
        uint32_t low = crc ^ ((uint32_t)next[0] | (uint32_t)next[1] << 8 | (uint32_t)next[2] << 16 | (uint32_t)next[3] << 24);
        crc = tables[7][low & 255] ^ tables[6][low >> 8 & 255] ^ tables[5][low >> 16 & 255] ^ tables[4][low >> 24] ^
              tables[3][next[4]] ^ tables[2][next[5]] ^ tables[1][next[6]] ^ tables[0][next[7]];
    }
    for (; count > 0; count--, next++) crc = crc >> 8 ^ tables[0][(crc ^ *next) & 255];
    return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const unsigned char *next, size_t count) {
    uint64_t sum = ~crc;
    for (; count >= 8; count -= 8, next += 8) {
        uint64_t word;
        memcpy(&word, next, sizeof word);
        sum = _mm_crc32_u64(sum, word);
    }
    for (; count > 0; count--, next++) sum = _mm_crc32_u8((uint32_t)sum, *next);
    return ~(uint32_t)sum;
}

static int has_instruction(void) { return __builtin_cpu_supports("sse4.2"); }
#elif defined(__aarch64__)
__attribute__((target("crc"))) static uint32_t by_instruction(uint32_t crc, const unsigned char *next, size_t count) {
    uint32_t sum = ~crc;
    for (; count >= 8; count -= 8, next += 8) {
        uint64_t word;
        memcpy(&word, next, sizeof word);
        sum = __crc32cd(sum, word);
    }
    for (; count > 0; count--, next++) sum = __crc32cb(sum, *next);
    return ~sum;
}

static int has_instruction(void) { return (getauxval(AT_HWCAP) & 1 << 7) != 0; } // HWCAP_CRC32
#else
static uint32_t by_instruction(uint32_t crc, const unsigned char *next, size_t count) {
    return hf_crc32c_by_table(crc, next, count);
}

static int has_instruction(void) { return 0; }
#endif

uint32_t hf_crc32c(uint32_t crc, const void *bytes, size_t count) {
    return has_instruction() ? by_instruction(crc, bytes, count) : hf_crc32c_by_table(crc, bytes, count);
}
