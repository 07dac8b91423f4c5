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
        UNROLL for (int j = 0; j < 8; j++) {
            __mmask64 fifth;
            memcpy(&fifth, p + 256 + 8 * j, 8);
            w[j] = _mm512_mask_add_epi8(w[j], fifth, w[j], _mm512_set1_epi8(16));
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

// How far before their use quants are asked for: some 100 ns at full speed.
enum { PREFETCH_BYTES = 3072 };

// Four columns of a row, in every lane.
K __m512i columns(const quantized_block *x, int j) {
    int32_t v;
    memcpy(&v, x->q + 4 * j, 4);
    return _mm512_set1_epi32(v);
}

#include "Template/packed.h"

K void packed_rows(const int R, const int bits, const bool minima, long blocks,
                   const packed_chunk *c, const quantized_block *x, long stride, float *sums) {
    __m512 total[16];
    UNROLL for (int r = 0; r < R; r++) total[r] = _mm512_loadu_ps(sums + r * STRIP);
    const uint8_t *p = c->quants;
    for (long k = 0; k < blocks; k++, p += 64 * bits, x += stride) {
        __m512i w[8];
        unpack(bits, p, w);
        UNROLL for (int i = 0; i < bits; i++) __builtin_prefetch(p + PREFETCH_BYTES + 64 * i);
        const float *scales = c->scales + (bits == 6 ? 2 : 1) * k * STRIP;
        __m512 scale = _mm512_loadu_ps(scales), minimum = scale, second = scale;
        if (bits == 6) second = _mm512_loadu_ps(scales + STRIP);
        if (minima) minimum = _mm512_loadu_ps(c->minima + k * STRIP);
        UNROLL for (int r = 0; r < R; r++) {
            __m512i a = minima ? _mm512_setzero_si512() : _mm512_set1_epi32(x[r].start[0]);
            __m512i b = minima ? _mm512_setzero_si512() : _mm512_set1_epi32(x[r].start[1]);
            UNROLL for (int j = 0; j < 4; j++) {
                a = _mm512_dpbusd_epi32(a, w[j], columns(x + r, j));
                b = _mm512_dpbusd_epi32(b, w[j + 4], columns(x + r, j + 4));
            }
            __m512 y;
            if (bits == 6)
                y = _mm512_add_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(a), scale),
                                  _mm512_mul_ps(_mm512_cvtepi32_ps(b), second));
            else
                y = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_add_epi32(a, b)), scale);
            y = _mm512_mul_ps(y, _mm512_set1_ps(x[r].scale));
            if (minima)
                y = _mm512_sub_ps(y, _mm512_mul_ps(minimum, _mm512_set1_ps(x[r].sum)));
            total[r] = _mm512_add_ps(total[r], y);
            // Keeps the compiler from interleaving rows, for which there are not enough registers.
            __asm__ volatile("" : "+v"(total[r])::"memory");
        }
    }
    UNROLL for (int r = 0; r < R; r++) _mm512_storeu_ps(sums + r * STRIP, total[r]);
}
#pragma clang attribute pop

const ck_packed_products ck_packed_avx512 = {packed_quantize, packed_linear};
#endif
