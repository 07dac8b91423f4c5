// y = x W^T for packed weights (packing.h) and activations quantised to int8.
//
// Sums over 32 columns are integers, hence exact. They are scaled and added to a float in the order
// of the columns, product and sum rounded apart, so an output has the same bits for every number of
// rows and threads and on every instruction set. The including file defines WIDTH and packed_rows, the
// products of some rows over the blocks of a chunk, and around it all the instruction set.
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

static void packed_quantize(long rows, long inputs, const float *x, int format, long begin,
                            long end, void *to) {
    int zero = packed_format_of(format).zero;
    long blocks = inputs / BLOCK_COLUMNS;
    for (long r = begin; r < end; r++) {
        long group = r / QUANT_ROWS * QUANT_ROWS;
        long n = rows - group < QUANT_ROWS ? rows - group : QUANT_ROWS;
        quantized_block *y = (quantized_block *)to + group * blocks + (r - group);
        for (long k = 0; k < blocks; k++)
            quantize_block(x + r * inputs + k * BLOCK_COLUMNS, zero, y + k * n);
    }
}

// A chunk's weights: quants, and its scales widened to float, by blocks (Q6_K: by half blocks).
typedef struct {
    const uint8_t *quants;
    float scales[2 * CHUNK_BLOCKS * STRIP], minima[CHUNK_BLOCKS * STRIP];
} packed_chunk;

// Adds to sums[rows, 16] the products of some rows with a chunk. Block k of row r of x lies at
// k * stride + r.
K void packed_rows(const int R, const int bits, const bool minima, long blocks,
                   const packed_chunk *c, const quantized_block *x, long stride, float *sums);

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

// Adds a chunk's products to the sums of all rows.
K void chunk_rows(const int bits, const bool minima, long rows, long blocks, const packed_chunk *c,
                  const quantized_block *x, long stride, float *sums) {
    while (rows > 0) {
        long n = rows >= 16 ? 16 : rows >= 12 ? 12 : rows >= 8 ? 8 : rows;
        switch (n) {
#define CASE(N)                                                                                    \
    case N: packed_rows(N, bits, minima, blocks, c, x, stride, sums); break;
            CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(12) CASE(16)
#undef CASE
        }
        rows -= n, x += n, sums += n * STRIP;
    }
}

K f16 floats_at(const float *p) {
    f16 v;
    memcpy(&v, p, sizeof v);
    return v;
}

// y[r, n...] = sums[r] + bias, for the outputs of a strip.
K void write_sums(long rows, long n, long outputs, const float *sums, const float *bias, float *y) {
    _Alignas(64) float b[STRIP] = {0};
    long count = outputs - n < STRIP ? outputs - n : STRIP;
    if (bias) memcpy(b, bias + n, count * sizeof(float));
    if (count == STRIP)
        for (long r = 0; r < rows; r++)
            put16(y + r * outputs + n, floats_at(sums + r * STRIP) + floats_at(b));
    else
        for (long r = 0; r < rows; r++)
            for (long i = 0; i < count; i++) y[r * outputs + n + i] = sums[r * STRIP + i] + b[i];
}

K void packed_strips(const int bits, const bool minima, packed_format f, long rows, long inputs,
                     const quantized_block *x, const uint8_t *w, long begin, long end, long outputs,
                     const float *bias, float *y) {
    float *sums = ck_scratch(rows * STRIP * sizeof(float));
    packed_chunk c;
    long blocks = inputs / BLOCK_COLUMNS;
    const uint8_t *p = w + begin * packed_strip_bytes(f, inputs);
    for (long strip = begin; strip < end; strip++) {
        // Too short for memset to be worth its start.
        for (long r = 0; r < rows; r++) put16(sums + r * STRIP, (f16)(0.0f));
        for (long first = 0; first < blocks; first += CHUNK_BLOCKS) {
            long n = blocks - first < CHUNK_BLOCKS ? blocks - first : CHUNK_BLOCKS;
            read_scales(f, n, p, &c);
            c.quants = p + packed_scale_bytes(f, n);
            p += packed_chunk_bytes(f, n);
            for (long r = 0; r < rows; r += QUANT_ROWS) {
                long m = rows - r < QUANT_ROWS ? rows - r : QUANT_ROWS;
                chunk_rows(bits, minima, m, n, &c, x + r * blocks + first * m, m,
                           sums + r * STRIP);
            }
        }
        write_sums(rows, strip * STRIP, outputs, sums, bias, y);
    }
}

static void packed_linear(long rows, long inputs, const void *x, int format, const void *w,
                           long begin, long end, long outputs, const float *bias, float *y) {
    packed_format f = packed_format_of(format);
    // Every case is compiled apart: rows of sums then stay in registers, and no branch is left.
#define STRIPS(BITS, MINIMA)                                                                       \
    if (f.bits == BITS && f.minima == MINIMA)                                                      \
    packed_strips(BITS, MINIMA, f, rows, inputs, x, w, begin, end, outputs, bias, y)
    STRIPS(4, false);
    STRIPS(4, true);
    STRIPS(5, false);
    STRIPS(5, true);
    STRIPS(6, false);
    STRIPS(8, false);
#undef STRIPS
}
