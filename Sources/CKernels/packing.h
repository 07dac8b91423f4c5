// The packed layout of quantised weights: what the products on them read.
//
// Sixteen consecutive outputs are a strip, so that a vector of 32-bit lanes holds one sum for each.
// A strip is a run of chunks of 256 columns (the last may be shorter), read front to back:
//
//     scales  per 32 columns, float16 d [16] for every block, then, with minima, float16 m [16]; or
//             per 256, float16 d [16] (and minima m [16]), then by blocks of 32 (Q6_K: of 16) the
//             integer scales [16] (and then integer minima [16]); filled up to 64 bytes
//     quants  blocks of 32 columns, each `bits` vectors of 64 bytes; unsigned, the format's zero
//             point added
//
// A block's numbers are eight groups of 16 outputs x 4 columns, a byte each. With 8 bits a vector is
// a group. Otherwise vector i < 4 holds the low nibbles of group i and, above them, of group i + 4.
// The fifth bit of group j is bit j of vector 4. Bits 5 and 6 of groups 0-3 are bits 2j and 2j + 1 of
// vector 4, those of groups 4-7 likewise of vector 5.
// Outputs behind the last one are zeros.
#pragma once
#include "Template/halves.h"
#include "ckernels.h"

enum { STRIP = 16, CHUNK_BLOCKS = 8, BLOCK_COLUMNS = 32 };

// What sets a quantised format apart once it is packed.
typedef struct {
    int bits;      // of a number: 4, 5, 6, 8; 0 where the format is not packed
    int zero;      // subtracted from the unsigned number
    bool minima;   // weight = scale * number - minimum
    bool by_256;   // integer scales under one float16 a 256 columns
} packed_format;

static inline packed_format packed_format_of(int format) {
    switch (format) {
    case CK_Q8_0: return (packed_format){8, 128, false, false};
    case CK_Q4_0: return (packed_format){4, 8, false, false};
    case CK_Q4_1: return (packed_format){4, 0, true, false};
    case CK_Q5_0: return (packed_format){5, 16, false, false};
    case CK_Q5_1: return (packed_format){5, 0, true, false};
    case CK_Q4_K: return (packed_format){4, 0, true, true};
    case CK_Q5_K: return (packed_format){5, 0, true, true};
    case CK_Q6_K: return (packed_format){6, 32, false, true};
    default: return (packed_format){0, 0, false, false};
    }
}

// Bytes of the scales of a chunk of some blocks.
static inline long packed_scale_bytes(packed_format f, long blocks) {
    long one = f.by_256 ? 2 * STRIP + (f.bits == 6 ? 2 : 1) * blocks * STRIP : blocks * 2 * STRIP;
    return ((f.minima ? 2 * one : one) + 63) & ~63L;
}

static inline long packed_chunk_bytes(packed_format f, long blocks) {
    return packed_scale_bytes(f, blocks) + blocks * f.bits * 64;
}

static inline long packed_strip_bytes(packed_format f, long columns) {
    long blocks = columns / BLOCK_COLUMNS, rest = blocks % CHUNK_BLOCKS;
    return blocks / CHUNK_BLOCKS * packed_chunk_bytes(f, CHUNK_BLOCKS)
         + (rest ? packed_chunk_bytes(f, rest) : 0);
}

// Thirty-two columns of one row of activations: x = scale * q.
typedef struct {
    int8_t q[BLOCK_COLUMNS];
    float scale, sum;   // sum = scale * (sum of q)
    int32_t start[2];   // -zero * (sum of q), by halves of the block
} quantized_block;

// Quantised rows come in groups: block k of row r of a group of n lies at k * n + r. See packed.h for
// the sizes, in rows and strips at once.
enum { FEW_ROWS = 8, MOST_ROWS = 64, MOST_STRIPS = 2 };
_Static_assert(sizeof(quantized_block) == 48, "the layout that the products read");
