// Sixteen bytes or halves of stored blocks, and the floats they stand for.

typedef uint8_t u8x16 __attribute__((ext_vector_type(16)));
typedef int8_t s8x16 __attribute__((ext_vector_type(16)));
typedef uint16_t u16x16 __attribute__((ext_vector_type(16)));
typedef uint32_t u32x16 __attribute__((ext_vector_type(16)));

K u8x16 bytes16(const uint8_t *p) {
    u8x16 v;
    memcpy(&v, p, sizeof v);
    return v;
}

K f16 floats(u8x16 v) { return __builtin_convertvector(v, f16); }

// v - by in signed bytes, as floats.
K f16 floats_less(u8x16 v, int8_t by) {
    v -= (u8x16)((uint8_t)by);
    s8x16 s;
    memcpy(&s, &v, sizeof s);
    return __builtin_convertvector(s, f16);
}

K void put16(float *y, f16 v) { memcpy(y, &v, sizeof v); }

K f16 halves16(const uint8_t *p) {
#if defined(HALVES)
    _Float16 __attribute__((ext_vector_type(16))) v;
    memcpy(&v, p, sizeof v);
    return __builtin_convertvector(v, f16);
#else
    f16 y;
    UNROLL for (int i = 0; i < 16; i++) y[i] = half_at(p + 2 * i);
    return y;
#endif
}
