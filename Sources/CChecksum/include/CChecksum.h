#pragma once
#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli; RFC 3720, appendix B.4) of `bytes`, continuing `crc`; 0 begins. By the processor's instruction
/// where it has one.
uint32_t hf_crc32c(uint32_t crc, const void *_Nullable bytes, size_t count);

/// The same by tables, for the comparison in tests.
uint32_t hf_crc32c_by_table(uint32_t crc, const void *_Nullable bytes, size_t count);
