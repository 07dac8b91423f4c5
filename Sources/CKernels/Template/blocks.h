// Plain dequantisers, one block at a time, into REAL. Layouts are ggml's (ggml-common.h), values
// are what its dequantize_row functions give: computed in float, each product and sum rounded.
#include "ckernels.h"
#include "halves.h"

static void dequantize_block(int format, const uint8_t *b, REAL *y) {
#pragma clang fp contract(off)
    uint32_t high;
    switch (format) {
    case CK_F32: {
        float value;
        memcpy(&value, b, 4);
        *y = value;
        break;
    }
    case CK_F16: *y = half_at(b); break;
    case CK_BF16: *y = bfloat_at(b); break;
    case CK_Q8_0:
        for (int i = 0; i < 32; i++) y[i] = half_at(b) * (float)(int8_t)b[2 + i];
        break;
    case CK_Q4_0:
        for (int i = 0; i < 16; i++) {
            y[i] = half_at(b) * (float)((b[2 + i] & 15) - 8);
            y[i + 16] = half_at(b) * (float)((b[2 + i] >> 4) - 8);
        }
        break;
    case CK_Q4_1:
        for (int i = 0; i < 16; i++) {
            y[i] = half_at(b) * (float)(b[4 + i] & 15) + half_at(b + 2);
            y[i + 16] = half_at(b) * (float)(b[4 + i] >> 4) + half_at(b + 2);
        }
        break;
    case CK_Q5_0:
        memcpy(&high, b + 2, 4);
        for (int i = 0; i < 16; i++) {
            int low = (b[6 + i] & 15) | (high >> i & 1) << 4;
            int top = b[6 + i] >> 4 | (high >> (i + 16) & 1) << 4;
            y[i] = half_at(b) * (float)(low - 16);
            y[i + 16] = half_at(b) * (float)(top - 16);
        }
        break;
    case CK_Q5_1:
        memcpy(&high, b + 4, 4);
        for (int i = 0; i < 16; i++) {
            int low = (b[8 + i] & 15) | (high >> i & 1) << 4;
            int top = b[8 + i] >> 4 | (high >> (i + 16) & 1) << 4;
            y[i] = half_at(b) * (float)low + half_at(b + 2);
            y[i + 16] = half_at(b) * (float)top + half_at(b + 2);
        }
        break;
    case CK_Q4_K:
    case CK_Q5_K:
        // d, dmin, 8 six-bit scales and minima in 12 bytes, [32 bytes of fifth bits], 128 of nibbles
        for (int j = 0; j < 8; j++) {
            float scale = half_at(b) * (float)k_scale(b + 4, j);
            float minimum = half_at(b + 2) * (float)k_minimum(b + 4, j);
            const uint8_t *nibbles = b + (format == CK_Q5_K ? 48 : 16) + j / 2 * 32;
            for (int i = 0; i < 32; i++) {
                int q = j % 2 ? nibbles[i] >> 4 : nibbles[i] & 15;
                if (format == CK_Q5_K) q |= (b[16 + i] >> j & 1) << 4;
                float product = scale * (float)q;
                y[j * 32 + i] = product - minimum;
            }
        }
        break;
    case CK_Q6_K:
        // 128 bytes of low nibbles, 64 of high bit pairs, 16 int8 scales, d
        for (int i = 0; i < 256; i++) {
            int half = i / 128, quarter = i % 128 / 32, l = i % 32;
            int low = b[half * 64 + quarter % 2 * 32 + l] >> (quarter / 2 * 4) & 15;
            int top = b[128 + half * 32 + l] >> (quarter * 2) & 3;
            float scale = half_at(b + 208) * (float)(int8_t)b[192 + i / 16];
            y[i] = scale * (float)((low | top << 4) - 32);
        }
        break;
    }
}

static void dequantize(int format, long count, const void *bytes, void *y) {
    long size = ck_block_size(format), stride = ck_block_bytes(format);
    for (long i = 0; i < count / size; i++)
        dequantize_block(format, (const uint8_t *)bytes + i * stride, (REAL *)y + i * size);
}
