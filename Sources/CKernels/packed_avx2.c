// Products on packed weights for x86 CPUs with AVX2.
#include "Template/common.h"
#include "packing.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#define WIDTH 8
#define HALVES
#include "Template/vector.h"
#include "Template/bytes.h"

K __m256i bytes32(const uint8_t *p) { return _mm256_loadu_si256((const __m256i *)p); }

// The eight groups of half a strip: signed numbers with 8 bits, else unsigned ones.
K void unpack(const int bits, const uint8_t *p, int half, __m256i *w) {
    const __m256i low = _mm256_set1_epi8(15);
    if (bits == 8) {
        UNROLL for (int j = 0; j < 8; j++)
            w[j] = _mm256_xor_si256(bytes32(p + 64 * j + 32 * half), _mm256_set1_epi8(-128));
        return;
    }
    UNROLL for (int j = 0; j < 4; j++) {
        __m256i v = bytes32(p + 64 * j + 32 * half);
        w[j] = _mm256_and_si256(v, low);
        w[j + 4] = _mm256_and_si256(_mm256_srli_epi16(v, 4), low);
    }
    if (bits == 5) {
        __m256i v = bytes32(p + 256 + 32 * half);
        UNROLL for (int j = 0; j < 8; j++) {
            __m256i bit = j < 4 ? _mm256_slli_epi16(v, 4 - j) : _mm256_srli_epi16(v, j - 4);
            w[j] = _mm256_or_si256(w[j], _mm256_and_si256(bit, _mm256_set1_epi8(16)));
        }
    }
    if (bits == 6) {
        const __m256i top = _mm256_set1_epi8(0x30);
        UNROLL for (int i = 0; i < 2; i++) {
            __m256i v = bytes32(p + 256 + 64 * i + 32 * half);
            __m256i pairs[4] = {_mm256_slli_epi16(v, 4), _mm256_slli_epi16(v, 2), v,
                                _mm256_srli_epi16(v, 2)};
            UNROLL for (int j = 0; j < 4; j++)
                w[4 * i + j] = _mm256_or_si256(w[4 * i + j], _mm256_and_si256(pairs[j], top));
        }
    }
}

// Sums of products over groups 4 h..<4 h + 4: pairs of products in 16 bits, which hold two pairs of
// numbers below 64, and one of the magnitudes up to 128 that signed numbers have.
K __m256i dot16(const int bits, const __m256i *w, const quantized_block *x, int h) {
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i pairs[4], total = _mm256_setzero_si256();
    UNROLL for (int j = 0; j < 4; j++) {
        int32_t four;
        memcpy(&four, x->q + 16 * h + 4 * j, 4);
        __m256i v = _mm256_set1_epi32(four), u = w[4 * h + j];
        if (bits == 8) v = _mm256_sign_epi8(v, u), u = _mm256_abs_epi8(u);
        pairs[j] = _mm256_maddubs_epi16(u, v);
    }
    if (bits < 8) {
        pairs[0] = _mm256_add_epi16(pairs[0], pairs[1]);
        pairs[2] = _mm256_add_epi16(pairs[2], pairs[3]);
    }
    UNROLL for (int j = 0; j < 4; j += bits == 8 ? 1 : 2)
        total = _mm256_add_epi32(total, _mm256_madd_epi16(pairs[j], ones));
    return total;
}

#include "Template/packed.h"

// Adds to the sums of some rows, `step` floats apart, their products with a chunk.
K void add_chunk(const int bits, const bool minima, long rows, long blocks, const packed_chunk *c,
                 const quantized_block *x, float *sums, long step) {
    const uint8_t *p = c->quants;
    const bool starts = !minima && bits != 8;
    for (long k = 0; k < blocks; k++, p += 64 * bits, x += rows)
        UNROLL for (int half = 0; half < 2; half++) {
            __m256i w[8];
            unpack(bits, p, half, w);
            const float *scales = c->scales + (bits == 6 ? 2 : 1) * k * STRIP + 8 * half;
            for (long r = 0; r < rows; r++) {
                __m256i a = dot16(bits, w, x + r, 0), b = dot16(bits, w, x + r, 1);
                if (starts) a = _mm256_add_epi32(a, _mm256_set1_epi32(x[r].start[0]));
                if (starts) b = _mm256_add_epi32(b, _mm256_set1_epi32(x[r].start[1]));
                wf y;
                if (bits == 6)
                    y = (wf)_mm256_cvtepi32_ps(a) * wide_load(scales)
                      + (wf)_mm256_cvtepi32_ps(b) * wide_load(scales + STRIP);
                else
                    y = (wf)_mm256_cvtepi32_ps(_mm256_add_epi32(a, b)) * wide_load(scales);
                y = y * wide(x[r].scale);
                if (minima) y = y - wide_load(c->minima + k * STRIP + 8 * half) * wide(x[r].sum);
                float *to = sums + r * step + 8 * half;
                wide_store(to, wide_load(to) + y);
            }
        }
}

K void packed_rows(const int R, const int bits, const bool minima, long blocks,
                   const packed_chunk *c, const quantized_block *x, float *sums) {
    add_chunk(bits, minima, R, blocks, c, x, sums, STRIP);
}

K void packed_tile(const int S, const int bits, const bool minima, long rows, long blocks,
                   const packed_chunk *c, const quantized_block *x, float *sums) {
    for (int s = 0; s < S; s++)
        add_chunk(bits, minima, rows, blocks, c + s, x, sums + s * STRIP, S * STRIP);
}
#pragma clang attribute pop

const ck_packed_products ck_packed_avx2 = {packed_quantize, packed_linear};
#endif
