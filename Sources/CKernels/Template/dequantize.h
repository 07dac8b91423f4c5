// Dequantisers of whole blocks in float: the values of blocks.h, 16 or 32 at a time.

// 16 where the bit of the lane is set in two bytes, else 0.
K u8x16 fifth_bits(const uint8_t *p) {
    u8x16 spread = {p[0], p[0], p[0], p[0], p[0], p[0], p[0], p[0],
                    p[1], p[1], p[1], p[1], p[1], p[1], p[1], p[1]};
    const u8x16 bit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    return (spread & bit) == bit ? (u8x16)(16) : (u8x16)(0);
}

K f16 bfloats16(const uint8_t *p) {
    u16x16 v;
    memcpy(&v, p, sizeof v);
    u32x16 wide = __builtin_convertvector(v, u32x16) << (u32x16)(16);
    f16 y;
    memcpy(&y, &wide, sizeof y);
    return y;
}

K float half_scalar(const uint8_t *p) {
#if defined(HALVES)
    _Float16 h;
    memcpy(&h, p, sizeof h);
    return (float)h;
#else
    return half_at(p);
#endif
}

// Numbers stored one by one: float32, float16, bfloat16.
K void widen(int format, long count, const uint8_t *b, float *y) {
    long i = 0;
    if (format == CK_F32) {
        memcpy(y, b, count * sizeof(float));
        return;
    }
    for (; i + 16 <= count; i += 16)
        put16(y + i, format == CK_F16 ? halves16(b + 2 * i) : bfloats16(b + 2 * i));
    for (; i < count; i++) y[i] = format == CK_F16 ? half_at(b + 2 * i) : bfloat_at(b + 2 * i);
}

K void block_q8_0(const uint8_t *b, float *y) {
    f16 d = (f16)(half_scalar(b));
    UNROLL for (int i = 0; i < 32; i += 16) put16(y + i, d * floats_less(bytes16(b + 2 + i), 0));
}

K void block_q4_0(const uint8_t *b, float *y) {
    f16 d = (f16)(half_scalar(b));
    u8x16 q = bytes16(b + 2);
    put16(y, d * floats_less(q & (u8x16)(15), 8));
    put16(y + 16, d * floats_less(q >> (u8x16)(4), 8));
}

K void block_q4_1(const uint8_t *b, float *y) {
#pragma clang fp contract(off)
    f16 d = (f16)(half_scalar(b)), m = (f16)(half_scalar(b + 2));
    u8x16 q = bytes16(b + 4);
    put16(y, d * floats(q & (u8x16)(15)) + m);
    put16(y + 16, d * floats(q >> (u8x16)(4)) + m);
}

K void block_q5_0(const uint8_t *b, float *y) {
    f16 d = (f16)(half_scalar(b));
    u8x16 q = bytes16(b + 6);
    put16(y, d * floats_less((q & (u8x16)(15)) | fifth_bits(b + 2), 16));
    put16(y + 16, d * floats_less((q >> (u8x16)(4)) | fifth_bits(b + 4), 16));
}

K void block_q5_1(const uint8_t *b, float *y) {
#pragma clang fp contract(off)
    f16 d = (f16)(half_scalar(b)), m = (f16)(half_scalar(b + 2));
    u8x16 q = bytes16(b + 8);
    put16(y, d * floats((q & (u8x16)(15)) | fifth_bits(b + 4)) + m);
    put16(y + 16, d * floats((q >> (u8x16)(4)) | fifth_bits(b + 6)) + m);
}

K void block_q45_K(const uint8_t *b, float *y, const bool five) {
#pragma clang fp contract(off)
    float d = half_scalar(b), m = half_scalar(b + 2);
    for (int j = 0; j < 8; j += 2) {
        const uint8_t *nibbles = b + (five ? 48 : 16) + j * 16;
        f16 scale0 = (f16)(d * (float)k_scale(b + 4, j));
        f16 scale1 = (f16)(d * (float)k_scale(b + 4, j + 1));
        f16 minimum0 = (f16)(m * (float)k_minimum(b + 4, j));
        f16 minimum1 = (f16)(m * (float)k_minimum(b + 4, j + 1));
        UNROLL for (int i = 0; i < 32; i += 16) {
            u8x16 q = bytes16(nibbles + i), low = q & (u8x16)(15), high = q >> (u8x16)(4);
            if (five) {
                u8x16 bits = bytes16(b + 16 + i) >> (u8x16)((uint8_t)j);
                low |= (bits & (u8x16)(1)) << (u8x16)(4);
                high |= (bits & (u8x16)(2)) << (u8x16)(3);
            }
            put16(y + j * 32 + i, scale0 * floats(low) - minimum0);
            put16(y + j * 32 + 32 + i, scale1 * floats(high) - minimum1);
        }
    }
}

K void block_q6_K(const uint8_t *b, float *y) {
    float d = half_scalar(b + 208);
    for (int half = 0; half < 2; half++)
        UNROLL for (int i = 0; i < 32; i += 16) {
            u8x16 a = bytes16(b + half * 64 + i), c = bytes16(b + half * 64 + 32 + i);
            u8x16 top = bytes16(b + 128 + half * 32 + i);
            u8x16 q[4] = {a & (u8x16)(15), c & (u8x16)(15), a >> (u8x16)(4), c >> (u8x16)(4)};
            UNROLL for (int quarter = 0; quarter < 4; quarter++) {
                int at = half * 128 + quarter * 32 + i;
                u8x16 pair = (top >> (u8x16)((uint8_t)(2 * quarter))) & (u8x16)(3);
                f16 scale = (f16)(d * (float)(int8_t)b[192 + at / 16]);
                put16(y + at, scale * floats_less(q[quarter] | pair << (u8x16)(4), 32));
            }
        }
}

static void dequantize(int format, long count, const void *bytes, void *py) {
    const uint8_t *b = bytes;
    float *y = py;
#define EACH(SIZE, BYTES, CALL)                                                                    \
    for (long i = 0; i < count; i += SIZE, b += BYTES, y += SIZE) CALL;                            \
    break
    switch (format) {
    case CK_Q8_0: EACH(32, 34, block_q8_0(b, y));
    case CK_Q4_0: EACH(32, 18, block_q4_0(b, y));
    case CK_Q4_1: EACH(32, 20, block_q4_1(b, y));
    case CK_Q5_0: EACH(32, 22, block_q5_0(b, y));
    case CK_Q5_1: EACH(32, 24, block_q5_1(b, y));
    case CK_Q4_K: EACH(256, 144, block_q45_K(b, y, false));
    case CK_Q5_K: EACH(256, 176, block_q45_K(b, y, true));
    case CK_Q6_K: EACH(256, 210, block_q6_K(b, y));
    default: widen(format, count, b, y);
    }
#undef EACH
}
