// Puts stored blocks into the packed layout, once, when a model is loaded.
#include <string.h>

#include "packing.h"

// The unsigned numbers of 32 columns of a stored row, `at` counting blocks of 32.
static void block_numbers(int format, const uint8_t *row, long at, uint8_t *q) {
    uint32_t high;
    const uint8_t *b;
    switch (format) {
    case CK_Q8_0:
        b = row + at * 34 + 2;
        for (int i = 0; i < 32; i++) q[i] = b[i] ^ 0x80;
        return;
    case CK_Q4_0:
    case CK_Q4_1:
        b = row + at * ck_block_bytes(format) + (format == CK_Q4_0 ? 2 : 4);
        for (int i = 0; i < 16; i++) q[i] = b[i] & 15, q[i + 16] = b[i] >> 4;
        return;
    case CK_Q5_0:
    case CK_Q5_1:
        b = row + at * ck_block_bytes(format) + (format == CK_Q5_0 ? 2 : 4);
        memcpy(&high, b, 4);
        for (int i = 0; i < 16; i++) {
            q[i] = (b[4 + i] & 15) | (high >> i & 1) << 4;
            q[i + 16] = b[4 + i] >> 4 | (high >> (i + 16) & 1) << 4;
        }
        return;
    case CK_Q4_K:
    case CK_Q5_K: {
        int j = at % 8;
        b = row + at / 8 * ck_block_bytes(format);
        const uint8_t *nibbles = b + (format == CK_Q5_K ? 48 : 16) + j / 2 * 32;
        for (int i = 0; i < 32; i++) q[i] = j % 2 ? nibbles[i] >> 4 : nibbles[i] & 15;
        if (format == CK_Q5_K)
            for (int i = 0; i < 32; i++) q[i] |= (b[16 + i] >> j & 1) << 4;
        return;
    }
    case CK_Q6_K: {
        int half = at % 8 / 4, quarter = at % 4;
        b = row + at / 8 * 210;
        for (int l = 0; l < 32; l++) {
            int low = b[half * 64 + quarter % 2 * 32 + l] >> (quarter / 2 * 4) & 15;
            q[l] = low | (b[128 + half * 32 + l] >> (quarter * 2) & 3) << 4;
        }
        return;
    }
    }
}

// One packed block from the numbers of its sixteen outputs; four columns are handled as a word.
static void put_numbers(int bits, uint8_t q[STRIP][BLOCK_COLUMNS], uint8_t *to) {
    uint32_t group[8][STRIP], word[STRIP];
    for (int n = 0; n < STRIP; n++)
        for (int j = 0; j < 8; j++) memcpy(&group[j][n], q[n] + 4 * j, 4);
    if (bits == 8) {
        memcpy(to, group, sizeof group);
        return;
    }
    for (int j = 0; j < 4; j++, to += sizeof word) {
        for (int n = 0; n < STRIP; n++)
            word[n] = (group[j][n] & 0x0f0f0f0f) | (group[j + 4][n] & 0x0f0f0f0f) << 4;
        memcpy(to, word, sizeof word);
    }
    if (bits == 5) {
        memset(word, 0, sizeof word);
        for (int j = 0; j < 8; j++)
            for (int n = 0; n < STRIP; n++) word[n] |= (group[j][n] >> 4 & 0x01010101) << j;
        memcpy(to, word, sizeof word);
    }
    if (bits == 6)
        for (int i = 0; i < 2; i++, to += sizeof word) {
            memset(word, 0, sizeof word);
            for (int j = 0; j < 4; j++)
                for (int n = 0; n < STRIP; n++)
                    word[n] |= (group[4 * i + j][n] >> 4 & 0x03030303) << (2 * j);
            memcpy(to, word, sizeof word);
        }
}

// The scales of one output for the blocks of a chunk. `row` is the stored row.
static void put_scales(int format, packed_format f, int output, const uint8_t *row, long first,
                       long blocks, uint8_t *to) {
    if (!f.by_256) {
        for (long k = 0; k < blocks; k++) {
            const uint8_t *b = row + (first + k) * ck_block_bytes(format);
            memcpy(to + k * 2 * STRIP + 2 * output, b, 2);
            if (f.minima) memcpy(to + (blocks + k) * 2 * STRIP + 2 * output, b + 2, 2);
        }
        return;
    }
    const uint8_t *b = row + first / 8 * ck_block_bytes(format);
    if (format == CK_Q6_K) {
        memcpy(to + 2 * output, b + 208, 2);
        for (long k = 0; k < 2 * blocks; k++) to[2 * STRIP + k * STRIP + output] = b[192 + k];
        return;
    }
    memcpy(to + 2 * output, b, 2);
    memcpy(to + 2 * STRIP + 2 * output, b + 2, 2);
    for (int k = 0; k < blocks; k++) {
        to[4 * STRIP + k * STRIP + output] = k_scale(b + 4, k);
        to[4 * STRIP + (blocks + k) * STRIP + output] = k_minimum(b + 4, k);
    }
}

int ck_zero_point(int format) { return packed_format_of(format).zero; }

long ck_packed_bytes(int format, long rows, long columns) {
    packed_format f = packed_format_of(format);
    return f.bits ? (rows + STRIP - 1) / STRIP * packed_strip_bytes(f, columns) : 0;
}

long ck_quantized_bytes(long rows, long columns) {
    return rows * (columns / BLOCK_COLUMNS) * (long)sizeof(quantized_block);
}

void ck_pack(int format, long rows, long columns, const void *bytes, long begin, long end,
             void *packed) {
    packed_format f = packed_format_of(format);
    long row_bytes = columns / ck_block_size(format) * ck_block_bytes(format);
    long blocks = columns / BLOCK_COLUMNS, strip_bytes = packed_strip_bytes(f, columns);
    for (long strip = begin; strip < end; strip++) {
        uint8_t *to = (uint8_t *)packed + strip * strip_bytes;
        const uint8_t *row = (const uint8_t *)bytes + strip * STRIP * row_bytes;
        long outputs = rows - strip * STRIP < STRIP ? rows - strip * STRIP : STRIP;
        uint8_t q[STRIP][BLOCK_COLUMNS] = {{0}};
        memset(to, 0, strip_bytes);
        for (long first = 0; first < blocks; first += CHUNK_BLOCKS) {
            long n = blocks - first < CHUNK_BLOCKS ? blocks - first : CHUNK_BLOCKS;
            uint8_t *quants = to + packed_scale_bytes(f, n);
            for (int output = 0; output < outputs; output++)
                put_scales(format, f, output, row + output * row_bytes, first, n, to);
            for (long k = 0; k < n; k++) {
                for (int output = 0; output < outputs; output++)
                    block_numbers(format, row + output * row_bytes, first + k, q[output]);
                put_numbers(f.bits, q, quants + k * f.bits * 64);
            }
            to += packed_chunk_bytes(f, n);
        }
    }
}
