// y = x W^T for packed weights (packing.h) and activations quantised to int8.
//
// Sums over 32 columns are integers, hence exact. They are scaled and added to a float in the order
// of the columns, product and sum rounded apart, so an output has the same bits for every number of
// rows and threads and on every instruction set.
//
// What bounds the speed depends on the number of rows. Few rows wait for the weights: a strip is read
// once, front to back, and the rows' sums stay in registers. More rows are bound by arithmetic: they
// come in groups; a block of S strips is unpacked to registers and meets all rows of the group, one
// after the other, their sums in the first cache. Four activations of a row, spread to all lanes by
// one load, then serve S vectors of weights, for loads would else be as scarce as multiplications.
// Groups are so large that unpacking costs little, and so small that their activations stay in the
// second cache; each reads the strips of a task again, from there.
//
// The including file defines WIDTH, packed_rows and packed_tile, and around it all the instruction set.
#pragma clang fp contract(off)

// Rows of activations to int8: scale = max |x| / 127 over 32 columns, symmetric, rounded to nearest.
// What is not finite makes the scale so: the bits of |x| order NaN > infinity > numbers.
K void quantize_block(const float *x, int zero, quantized_block *to) {
    enum { VECTORS = BLOCK_COLUMNS / LANES };
    vf v[VECTORS];
    vi most = (vi)(0);
    UNROLL for (int i = 0; i < VECTORS; i++) {
        vi bits;
        v[i] = load(x + i * LANES);
        memcpy(&bits, v + i, sizeof bits);
        bits &= (vi)(0x7fffffff);
        most = bits > most ? bits : most;
    }
    int32_t top_bits = __builtin_reduce_max(most);
    float top;
    memcpy(&top, &top_bits, 4);
    // Below 1e-30 the inverse could overflow: such a block is as good as 0.
    vf inverse = splat(top < 1e-30f ? 0 : 127 / top);
    int32_t sum[2] = {0, 0};
    UNROLL for (int i = 0; i < VECTORS; i++) {
        // 1.5 * 2^23 moves the integer into the low bits of the float, rounded to even.
        vf moved = v[i] * inverse + splat(0x1.8p23f);
        vi bits;
        memcpy(&bits, &moved, sizeof bits);
        bits -= (vi)(0x4b400000);
        int8_t __attribute__((ext_vector_type(LANES))) q = __builtin_convertvector(
            bits, int8_t __attribute__((ext_vector_type(LANES))));
        memcpy(to->q + i * LANES, &q, sizeof q);
        sum[i * LANES / 16] += __builtin_reduce_add(__builtin_convertvector(q, vi));
    }
    to->scale = top / 127;
    to->sum = to->scale * (float)(sum[0] + sum[1]);
    to->start[0] = -zero * sum[0];
    to->start[1] = -zero * sum[1];
}

// Rows of a group, but for the last: all groups are about as large.
static long group_rows(long rows) {
    long groups = (rows + MOST_ROWS - 1) / MOST_ROWS;
    return (rows + groups - 1) / groups;
}

static void packed_quantize(long rows, long inputs, const float *x, int format, long begin,
                            long end, void *to) {
    int zero = packed_format_of(format).zero;
    long blocks = inputs / BLOCK_COLUMNS, most = group_rows(rows);
    for (long r = begin; r < end; r++) {
        long group = r / most * most;
        long n = rows - group < most ? rows - group : most;
        quantized_block *y = (quantized_block *)to + group * blocks + (r - group);
        for (long k = 0; k < blocks; k++)
            quantize_block(x + r * inputs + k * BLOCK_COLUMNS, zero, y + k * n);
    }
}

// A chunk's weights: quants, and its scales widened to float, by blocks (Q6_K: by half blocks).
typedef struct {
    _Alignas(64) float scales[2 * CHUNK_BLOCKS * STRIP];
    float minima[CHUNK_BLOCKS * STRIP];
    const uint8_t *quants;
    const uint8_t *end;   // of the strip
    long skip;            // from there to the strip that is read next
} packed_chunk;

// Adds to sums[R, 16] the products of R rows, all of a group, with a chunk.
K void packed_rows(const int R, const int bits, const bool minima, long blocks,
                   const packed_chunk *c, const quantized_block *x, float *sums);
// Adds to sums[rows, S, 16] the products of a group of more than FEW_ROWS rows with chunks of S strips.
K void packed_tile(const int S, const int bits, const bool minima, long rows, long blocks,
                   const packed_chunk *c, const quantized_block *x, float *sums);

K f16 bytes_as_floats(const uint8_t *p, bool is_signed) {
    u8x16 v = bytes16(p);
    return is_signed ? floats_less(v, 0) : floats(v);
}

K void read_scales(packed_format f, long blocks, const uint8_t *p, packed_chunk *c) {
    if (f.by_256) {
        long count = (f.bits == 6 ? 2 : 1) * blocks;
        f16 d = halves16(p), m = d;
        p += 2 * STRIP;
        if (f.minima) m = halves16(p), p += 2 * STRIP;
        for (long k = 0; k < count; k++, p += STRIP)
            put16(c->scales + k * STRIP, d * bytes_as_floats(p, f.bits == 6));
        if (f.minima)
            for (long k = 0; k < blocks; k++, p += STRIP)
                put16(c->minima + k * STRIP, m * bytes_as_floats(p, false));
    } else {
        for (long k = 0; k < blocks; k++, p += 2 * STRIP)
            put16(c->scales + k * STRIP, halves16(p));
        if (f.minima)
            for (long k = 0; k < blocks; k++, p += 2 * STRIP)
                put16(c->minima + k * STRIP, -halves16(p));
    }
}

K void few_rows(const int bits, const bool minima, long rows, long blocks, const packed_chunk *c,
                const quantized_block *x, float *sums) {
    switch (rows) {
#define CASE(N)                                                                                    \
    case N: packed_rows(N, bits, minima, blocks, c, x, sums); break;
        CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8)
#undef CASE
    }
}

K f16 floats_at(const float *p) {
    f16 v;
    memcpy(&v, p, sizeof v);
    return v;
}

// y[r, n...] = sums[r] + bias, for the outputs of a strip; sums of rows are `stride` floats apart.
K void write_sums(long rows, long n, long outputs, const float *sums, long stride,
                  const float *bias, float *y) {
    _Alignas(64) float b[STRIP] = {0};
    long count = outputs - n < STRIP ? outputs - n : STRIP;
    if (bias) memcpy(b, bias + n, count * sizeof(float));
    if (count == STRIP)
        for (long r = 0; r < rows; r++)
            put16(y + r * outputs + n, floats_at(sums + r * stride) + floats_at(b));
    else
        for (long r = 0; r < rows; r++)
            for (long i = 0; i < count; i++) y[r * outputs + n + i] = sums[r * stride + i] + b[i];
}

// The outputs of S strips from w on, the first being output n, for the rows of a group.
K void packed_strips(const int S, const int bits, const bool minima, packed_format f, long rows,
                     long inputs, const quantized_block *x, const uint8_t *w, long n, long outputs,
                     const float *bias, float *y) {
    _Alignas(64) float sums[MOST_ROWS * MOST_STRIPS * STRIP];
    packed_chunk c[MOST_STRIPS];
    long blocks = inputs / BLOCK_COLUMNS, bytes = packed_strip_bytes(f, inputs), at = 0;
    // Too short for memset to be worth its start.
    for (long i = 0; i < rows * S; i++) put16(sums + i * STRIP, (f16)(0.0f));
    for (long first = 0; first < blocks; first += CHUNK_BLOCKS) {
        long count = blocks - first < CHUNK_BLOCKS ? blocks - first : CHUNK_BLOCKS;
        UNROLL for (int s = 0; s < S; s++) {
            const uint8_t *strip = w + s * bytes;
            read_scales(f, count, strip + at, c + s);
            c[s].quants = strip + at + packed_scale_bytes(f, count);
            c[s].end = strip + bytes;
            c[s].skip = (S - 1) * bytes;
        }
        if (rows <= FEW_ROWS)
            few_rows(bits, minima, rows, count, c, x, sums);
        else
            packed_tile(S, bits, minima, rows, count, c, x, sums);
        at += packed_chunk_bytes(f, count), x += count * rows;
    }
    for (int s = 0; s < S; s++)
        write_sums(rows, n + s * STRIP, outputs, sums + s * STRIP, S * STRIP, bias, y);
}

K void packed_groups(const int bits, const bool minima, packed_format f, long rows, long inputs,
                     const quantized_block *x, const uint8_t *w, long begin, long end, long outputs,
                     const float *bias, float *y) {
    long blocks = inputs / BLOCK_COLUMNS, bytes = packed_strip_bytes(f, inputs);
    for (long n, most = group_rows(rows); rows > 0; rows -= n, x += n * blocks, y += n * outputs) {
        long s = begin;
        n = rows < most ? rows : most;
#define STRIPS(S)                                                                                  \
    packed_strips(S, bits, minima, f, n, inputs, x, w + s * bytes, s * STRIP, outputs, bias, y)
        if (n > FEW_ROWS)
            for (; s + MOST_STRIPS <= end; s += MOST_STRIPS) STRIPS(MOST_STRIPS);
        for (; s < end; s++) STRIPS(1);
#undef STRIPS
    }
}

static void packed_linear(long rows, long inputs, const void *x, int format, const void *w,
                           long begin, long end, long outputs, const float *bias, float *y) {
    packed_format f = packed_format_of(format);
    // Every case is compiled apart: sums then stay in registers, and no branch is left.
#define GROUPS(BITS, MINIMA)                                                                       \
    if (f.bits == BITS && f.minima == MINIMA)                                                      \
    packed_groups(BITS, MINIMA, f, rows, inputs, x, w, begin, end, outputs, bias, y)
    GROUPS(4, false);
    GROUPS(4, true);
    GROUPS(5, false);
    GROUPS(5, true);
    GROUPS(6, false);
    GROUPS(8, false);
#undef GROUPS
}
