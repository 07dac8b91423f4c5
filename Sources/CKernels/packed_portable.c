// Products on packed weights in plain C: what the other twins are compared with, bit by bit.
#include "Template/common.h"
#include "packing.h"

#define WIDTH 4
#include "Template/vector.h"
#include "Template/bytes.h"

// The number of column 4 j + c of an output, `lane` being 4 * output + c.
K int number(const int bits, const uint8_t *p, int j, int lane) {
    if (bits == 8) return p[64 * j + lane];
    int low = p[64 * (j % 4) + lane] >> (j / 4 * 4) & 15;
    if (bits == 5) low |= (p[256 + lane] >> j & 1) << 4;
    if (bits == 6) low |= (p[256 + 64 * (j / 4) + lane] >> (2 * (j % 4)) & 3) << 4;
    return low;
}

#include "Template/packed.h"

// Adds to the sums of some rows, `step` floats apart, their products with a chunk.
K void add_chunk(const int bits, const bool minima, long rows, long blocks,
                 const packed_chunk *c, const quantized_block *x, float *sums, long step) {
    const uint8_t *p = c->quants;
    for (long k = 0; k < blocks; k++, p += 64 * bits, x += rows) {
        int16_t w[BLOCK_COLUMNS][STRIP];
        for (int i = 0; i < BLOCK_COLUMNS; i++)
            for (int n = 0; n < STRIP; n++) w[i][n] = number(bits, p, i / 4, 4 * n + i % 4);
        const float *scales = c->scales + (bits == 6 ? 2 : 1) * k * STRIP;
        for (long r = 0; r < rows; r++) {
            int32_t dot[2][STRIP];
            for (int h = 0; h < 2; h++) {
                for (int n = 0; n < STRIP; n++) dot[h][n] = minima ? 0 : x[r].start[h];
                for (int i = 0; i < 16; i++)
                    for (int n = 0; n < STRIP; n++)
                        dot[h][n] += w[16 * h + i][n] * x[r].q[16 * h + i];
            }
            for (int n = 0; n < STRIP; n++) {
                float y = bits == 6 ? (float)dot[0][n] * scales[n]
                                          + (float)dot[1][n] * scales[STRIP + n]
                                    : (float)(dot[0][n] + dot[1][n]) * scales[n];
                y = y * x[r].scale;
                if (minima) y = y - c->minima[k * STRIP + n] * x[r].sum;
                sums[r * step + n] += y;
            }
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

const ck_packed_products ck_packed_portable = {packed_quantize, packed_linear};
