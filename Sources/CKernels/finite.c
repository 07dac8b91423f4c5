// Looks for numbers that are not finite in stored weights: infinite, or not a number.
#include <string.h>

#include "ckernels.h"

// Numbers looked at together: long enough for vector instructions, short enough to stop early.
enum { STRETCH = 4096 };

static bool has_float(long count, const uint8_t *bytes) {
    uint32_t found = 0;
    for (long i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, bytes + 4 * i, 4);
        found |= (uint32_t)((bits & 0x7f800000u) == 0x7f800000u);
    }
    return found;
}

static bool has_half(long count, const uint8_t *bytes, uint16_t exponent) {
    uint16_t found = 0;
    for (long i = 0; i < count; i++) {
        uint16_t bits;
        memcpy(&bits, bytes + 2 * i, 2);
        found |= (uint16_t)((bits & exponent) == exponent);
    }
    return found;
}

static const uint16_t half_exponent = 0x7c00, bfloat_exponent = 0x7f80;

// In a quantised block only the scales are floating-point: one or two halves, behind each other.
static bool has_scale(int format, long count, const uint8_t *bytes) {
    long stride = ck_block_bytes(format), place = format == CK_Q6_K ? 208 : 0;
    long scales = format == CK_Q4_1 || format == CK_Q5_1 || format == CK_Q4_K || format == CK_Q5_K
                      ? 2 : 1;
    for (long i = 0; i < count; i++)
        if (has_half(scales, bytes + i * stride + place, half_exponent)) return true;
    return false;
}

static bool has(int format, long count, const uint8_t *bytes) {
    switch (format) {
    case CK_F32: return has_float(count, bytes);
    case CK_F16: return has_half(count, bytes, half_exponent);
    case CK_BF16: return has_half(count, bytes, bfloat_exponent);
    default: return has_scale(format, count, bytes);
    }
}

long ck_first_not_finite(int format, long count, const void *blocks) {
    const uint8_t *bytes = blocks;
    long stride = ck_block_bytes(format), size = ck_block_size(format);
    for (long start = 0; start < count; start += STRETCH) {
        long stretch = count - start < STRETCH ? count - start : STRETCH;
        if (!has(format, stretch, bytes + start * stride)) continue;
        while (!has(format, 1, bytes + start * stride)) start++;
        return start * size;
    }
    return -1;
}
