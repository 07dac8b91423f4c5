// Products on packed weights for x86 CPUs with AVX-512 VNNI.
#include "Template/common.h"
#include "packing.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(                                                                      \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c"),          \
                   min_vector_width(512))),                                                        \
    apply_to = function)
#define WIDTH 16
#define HALVES
#include "Template/vector.h"
#include "Template/bytes.h"

// The eight groups of a block, a byte for every output and column.
K void unpack(const int bits, const uint8_t *p, __m512i *w) {
    if (bits == 8) {
        UNROLL for (int j = 0; j < 8; j++) w[j] = _mm512_loadu_si512(p + 64 * j);
        return;
    }
    const __m512i low = _mm512_set1_epi8(15);
    UNROLL for (int j = 0; j < 4; j++) {
        __m512i v = _mm512_loadu_si512(p + 64 * j);
        w[j] = _mm512_and_si512(v, low);
        w[j + 4] = _mm512_and_si512(_mm512_srli_epi16(v, 4), low);
    }
    if (bits == 5) {
        const __m512i top = _mm512_set1_epi8(0x10);
        __m512i v = _mm512_loadu_si512(p + 256);
        UNROLL for (int j = 0; j < 8; j++) {
            __m512i bit = j < 4 ? _mm512_slli_epi16(v, 4 - j) : _mm512_srli_epi16(v, j - 4);
            // (bit & 0x10) | low nibble
            w[j] = _mm512_ternarylogic_epi32(bit, top, w[j], 0xea);
        }
    }
    if (bits == 6) {
        const __m512i top = _mm512_set1_epi8(0x30);
        UNROLL for (int i = 0; i < 2; i++) {
            __m512i v = _mm512_loadu_si512(p + 256 + 64 * i);
            __m512i pairs[4] = {_mm512_slli_epi16(v, 4), _mm512_slli_epi16(v, 2), v,
                                _mm512_srli_epi16(v, 2)};
            // (pair & 0x30) | low nibble
            UNROLL for (int j = 0; j < 4; j++)
                w[4 * i + j] = _mm512_ternarylogic_epi32(pairs[j], top, w[4 * i + j], 0xea);
        }
    }
}

// Four columns of a row, in every lane.
K __m512i columns(const quantized_block *x, int j) {
    int32_t v;
    memcpy(&v, x->q + 4 * j, 4);
    return _mm512_set1_epi32(v);
}

#include "Template/packed.h"

// How far before their use weights are asked for: some 100 ns at full speed. The lines of a chunk's
// scales lie between the quants of two chunks.
enum { PREFETCH_BYTES = 3072, SCALE_LINES = 5 };

// What will be read PREFETCH_BYTES after the quants of block k.
K const uint8_t *ahead(const int bits, const packed_chunk *c, long k) {
    const uint8_t *p = c->quants + 64 * bits * k + PREFETCH_BYTES;
    return p < c->end ? p : p + c->skip;
}

K void prefetch(const int lines, const uint8_t *p) {
    UNROLL for (int i = 0; i < lines; i++) __builtin_prefetch(p + 64 * i);
}

// What 32 columns add to the sums of a row: those of the halves, scaled.
K __m512 scaled(const int bits, const bool minima, __m512i a, __m512i b, const __m512 *scales,
                __m512 minimum, const quantized_block *x) {
    __m512 y;
    if (bits == 6)
        y = _mm512_add_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(a), scales[0]),
                          _mm512_mul_ps(_mm512_cvtepi32_ps(b), scales[1]));
    else
        y = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_add_epi32(a, b)), scales[0]);
    y = _mm512_mul_ps(y, _mm512_set1_ps(x->scale));
    return minima ? _mm512_sub_ps(y, _mm512_mul_ps(minimum, _mm512_set1_ps(x->sum))) : y;
}

K __m512i start(const bool minima, const quantized_block *x, int half) {
    return minima ? _mm512_setzero_si512() : _mm512_set1_epi32(x->start[half]);
}

// Scales and minima of a block.
K void block_scales(const int bits, const bool minima, const packed_chunk *c, long k,
                    __m512 *scales, __m512 *minimum) {
    const int n = bits == 6 ? 2 : 1;
    UNROLL for (int i = 0; i < n; i++) scales[i] = _mm512_loadu_ps(c->scales + (n * k + i) * STRIP);
    if (minima) *minimum = _mm512_loadu_ps(c->minima + k * STRIP);
}

K void packed_rows(const int R, const int bits, const bool minima, long blocks,
                   const packed_chunk *c, const quantized_block *x, float *sums) {
    __m512 total[FEW_ROWS];
    UNROLL for (int r = 0; r < R; r++) total[r] = _mm512_loadu_ps(sums + r * STRIP);
    const uint8_t *p = c->quants;
    for (long k = 0; k < blocks; k++, p += 64 * bits, x += R) {
        __m512i w[8];
        __m512 scales[2], minimum;
        unpack(bits, p, w);
        prefetch(bits, p + PREFETCH_BYTES);
        block_scales(bits, minima, c, k, scales, &minimum);
        UNROLL for (int r = 0; r < R; r++) {
            __m512i a = start(minima, x + r, 0), b = start(minima, x + r, 1);
            UNROLL for (int j = 0; j < 4; j++) {
                a = _mm512_dpbusd_epi32(a, w[j], columns(x + r, j));
                b = _mm512_dpbusd_epi32(b, w[j + 4], columns(x + r, j + 4));
            }
            __m512 y = scaled(bits, minima, a, b, scales, minimum, x + r);
            total[r] = _mm512_add_ps(total[r], y);
            // Keeps the compiler from interleaving rows, for which there are not enough registers.
            __asm__ volatile("" : "+v"(total[r])::"memory");
        }
    }
    prefetch(SCALE_LINES, p + PREFETCH_BYTES);
    UNROLL for (int r = 0; r < R; r++) _mm512_storeu_ps(sums + r * STRIP, total[r]);
}

// Adds to sums[S, 16] the products of a row with a block of S strips.
K void tile_row(const int S, const int bits, const bool minima, __m512i w[MOST_STRIPS][8],
                __m512 scales[MOST_STRIPS][2], const __m512 *minimum, const quantized_block *x,
                float *sums) {
    __m512i a[MOST_STRIPS], b[MOST_STRIPS];
    UNROLL for (int s = 0; s < S; s++) a[s] = start(minima, x, 0), b[s] = start(minima, x, 1);
    UNROLL for (int j = 0; j < 4; j++) {
        __m512i low = columns(x, j), high = columns(x, j + 4);
        UNROLL for (int s = 0; s < S; s++) {
            a[s] = _mm512_dpbusd_epi32(a[s], w[s][j], low);
            b[s] = _mm512_dpbusd_epi32(b[s], w[s][j + 4], high);
        }
    }
    UNROLL for (int s = 0; s < S; s++) {
        __m512 y = scaled(bits, minima, a[s], b[s], scales[s], minimum[s], x);
        float *total = sums + s * STRIP;
        _mm512_store_ps(total, _mm512_add_ps(_mm512_load_ps(total), y));
    }
    // Keeps the compiler from interleaving rows, for which there are not enough registers.
    __asm__ volatile("" ::: "memory");
}

K void packed_tile(const int S, const int bits, const bool minima, long rows, long blocks,
                   const packed_chunk *c, const quantized_block *x, float *sums) {
    for (long k = 0; k < blocks; k++) {
        __m512i w[MOST_STRIPS][8];
        __m512 scales[MOST_STRIPS][2], minimum[MOST_STRIPS];
        const uint8_t *next[MOST_STRIPS];
        UNROLL for (int s = 0; s < S; s++) {
            unpack(bits, c[s].quants + 64 * bits * k, w[s]);
            block_scales(bits, minima, c + s, k, scales[s], minimum + s);
            next[s] = ahead(bits, c + s, k);
        }
        float *to = sums;
        const quantized_block *end = x + rows;
        UNROLL for (int r = 0; r < FEW_ROWS; r++) {
            tile_row(S, bits, minima, w, scales, minimum, x + r, to + r * S * STRIP);
            // One line at a time: a burst of them would hold up the loads of activations.
            if (r < bits)
                UNROLL for (int s = 0; s < S; s++) __builtin_prefetch(next[s] + 64 * r);
        }
        x += FEW_ROWS, to += FEW_ROWS * S * STRIP;
        for (; x + 4 <= end; x += 4, to += 4 * S * STRIP)
            UNROLL for (int r = 0; r < 4; r++)
                tile_row(S, bits, minima, w, scales, minimum, x + r, to + r * S * STRIP);
        for (; x < end; x++, to += S * STRIP)
            tile_row(S, bits, minima, w, scales, minimum, x, to);
    }
    UNROLL for (int s = 0; s < S; s++) prefetch(SCALE_LINES, ahead(bits, c + s, blocks));
}
#pragma clang attribute pop

const ck_packed_products ck_packed_avx512 = {packed_quantize, packed_linear};
#endif
