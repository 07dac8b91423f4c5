// Scalars of weight blocks: float16 and bfloat16 at unaligned addresses, six-bit scales.
#pragma once
#include <stdint.h>
#include <string.h>

static inline float half_at(const uint8_t *bytes) {
    uint16_t half;
    memcpy(&half, bytes, 2);
    // The 15 magnitude bits, moved to a float's place, are the value times 2^-112; this holds for
    // subnormal halves too. Exponent 31 (infinity, NaN) comes out as 2^16 or more.
    uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13, sign = (uint32_t)(half & 0x8000) << 16;
    float value;
    memcpy(&value, &magnitude, 4);
    value *= 0x1p112f;
    uint32_t bits;
    memcpy(&bits, &value, 4);
    bits |= sign | (value >= 65536.0f ? 0x7f800000u : 0u);
    memcpy(&value, &bits, 4);
    return value;
}

static inline float bfloat_at(const uint8_t *bytes) {
    uint16_t half;
    memcpy(&half, bytes, 2);
    uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

// A finite number as bfloat16: sixteen random bits, added below the kept ones, carry as often as the
// cut bits are large. The bits are a hash of key and index (Wellons, "Prospecting for hash functions",
// lowbias32).
static inline uint16_t bfloat_rounded(float value, uint32_t key, uint32_t index) {
    uint32_t h = (key ^ index) * 0x9e3779b9u + key;
    h = (h ^ h >> 16) * 0x7feb352du;
    h = (h ^ h >> 15) * 0x846ca68bu;
    h ^= h >> 16;
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return (uint16_t)((bits + (h & 0xffff)) >> 16);
}

// Six-bit scale and minimum j of a Q4_K or Q5_K block: 0-3 whole, 4-7 split over two bytes.
static inline int k_scale(const uint8_t *s, int j) {
    return j < 4 ? s[j] & 63 : (s[j + 4] & 15) | (s[j - 4] >> 6) << 4;
}

static inline int k_minimum(const uint8_t *s, int j) {
    return j < 4 ? s[j + 4] & 63 : s[j + 4] >> 4 | (s[j] >> 6) << 4;
}
