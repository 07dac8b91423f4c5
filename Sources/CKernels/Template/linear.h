// y = x W^T with one order of additions per output, whatever surrounds it.
//
// An output is one vector accumulator over k = 0, LANES, 2 LANES, ...; a last part of a vector is
// filled up with zeros; then sum_lanes. Tiles of rows only decide which outputs share loads.

enum { GROUP = 12, CHUNK = 256, BLOCK_ROWS = 32 };

// R rows of x by N rows of w over `vectors` vectors, a register's lanes of all of them after the
// other: 12 accumulators hide the latency of FMA.
K void linear_tile(const long R, const long N, long vectors, const float *x, long xs,
                   const float *w, long ws, vf *sums) {
    UNROLL for (long lane = 0; lane < LANES; lane += WIDTH) {
        wf s[4][GROUP];
        float *first = (float *)sums + lane;
        UNROLL for (long r = 0; r < R; r++)
            UNROLL for (long n = 0; n < N; n++) s[r][n] = wide_load(first + (r * GROUP + n) * LANES);
        for (long k = lane; k < vectors * LANES; k += LANES) {
            wf b[GROUP];
            UNROLL for (long n = 0; n < N; n++) b[n] = wide_load(w + n * ws + k);
            UNROLL for (long r = 0; r < R; r++) {
                wf a = wide_load(x + r * xs + k);
                UNROLL for (long n = 0; n < N; n++) s[r][n] = wide_fma(a, b[n], s[r][n]);
            }
        }
        UNROLL for (long r = 0; r < R; r++)
            UNROLL for (long n = 0; n < N; n++) wide_store(first + (r * GROUP + n) * LANES, s[r][n]);
    }
}

K void linear_tiles(const long R, const long N, long vectors, const float *x, long xs,
                    const float *w, long ws, vf *sums) {
    for (long n = 0; n < GROUP; n += N)
        linear_tile(R, N, vectors, x, xs, w + n * ws, ws, sums + n);
}

// All rows of a block by one group of 12 weight rows.
static void linear_group(long rows, long vectors, const float *x, long xs, const float *w, long ws,
                         vf *sums) {
    for (; rows >= 4; rows -= 4, x += 4 * xs, sums += 4 * GROUP)
        linear_tiles(4, 3, vectors, x, xs, w, ws, sums);
    if (rows == 3) linear_tiles(3, 4, vectors, x, xs, w, ws, sums);
    if (rows == 2) linear_tiles(2, 6, vectors, x, xs, w, ws, sums);
    if (rows == 1) linear_tiles(1, 12, vectors, x, xs, w, ws, sums);
}

// Weights n..<n + count, inputs k..<k + length, as GROUP rows of CHUNK floats; missing rows are 0.
K void linear_weights(int format, const void *w, long inputs, long n, long count, long k,
                      long length, float *to) {
    long size = ck_block_size(format), bytes = ck_block_bytes(format);
    for (long i = 0; i < GROUP; i++, to += CHUNK) {
        if (i >= count)
            memset(to, 0, length * sizeof(float));
        else if (format == CK_NATIVE)
            memcpy(to, (const float *)w + (n + i) * inputs + k, length * sizeof(float));
        else
            dequantize(format, length,
                       (const uint8_t *)w + ((n + i) * (inputs / size) + k / size) * bytes, to);
    }
}

// The last inputs of a row that fill no vector, as one vector filled up with zeros.
K void linear_tail(long rows, long rest, const float *x, long xs, long count, const float *w,
                   long ws, vf *sums) {
    float xt[BLOCK_ROWS * LANES], wt[GROUP * LANES];
    memset(wt, 0, sizeof wt);
    for (long r = 0; r < rows; r++) store(xt + r * LANES, get(x + r * xs, rest));
    for (long n = 0; n < count; n++) store(wt + n * LANES, get(w + n * ws, rest));
    linear_group(rows, 1, xt, LANES, wt, LANES, sums);
}

// x[rows, inputs] as [chunk, row, CHUNK]: rows a power of two apart would share cache sets.
K void linear_pack(long rows, long inputs, const float *x, float *to) {
    for (long k = 0; k < inputs; k += CHUNK)
        for (long r = 0; r < rows; r++, to += CHUNK)
            memcpy(to, x + r * inputs + k,
                   (inputs - k < CHUNK ? inputs - k : CHUNK) * sizeof(float));
}

static void linear(long rows, long inputs, const void *px, int format, const void *pw, long begin,
                   long end, long outputs, const void *pbias, void *py) {
    const float *bias = pbias;
    _Alignas(64) float weights[GROUP * CHUNK];
    vf sums[BLOCK_ROWS * GROUP];
    long chunks = (inputs + CHUNK - 1) / CHUNK, most = rows < BLOCK_ROWS ? rows : BLOCK_ROWS;
    float *packed = rows > 1 ? ck_scratch(most * chunks * CHUNK * sizeof(float)) : NULL;
    for (long first = 0; first < rows; first += BLOCK_ROWS) {
        long block = rows - first < BLOCK_ROWS ? rows - first : BLOCK_ROWS;
        const float *x = (const float *)px + first * inputs;
        float *y = (float *)py + first * outputs;
        if (packed) linear_pack(block, inputs, x, packed);
        for (long n = begin; n < end; n += GROUP) {
            long count = end - n < GROUP ? end - n : GROUP;
            memset(sums, 0, block * GROUP * sizeof(vf));
            for (long k = 0; k < inputs; k += CHUNK) {
                long length = inputs - k < CHUNK ? inputs - k : CHUNK;
                const float *w = weights, *xs = packed ? packed + k * block : x + k;
                long ws = CHUNK, rest = length % LANES, whole = length - rest;
                if ((format == CK_NATIVE || format == CK_F32) && count == GROUP && block <= 4) {
                    w = (const float *)pw + n * inputs + k;
                    ws = inputs;
                } else {
                    linear_weights(format, pw, inputs, n, count, k, length, weights);
                }
                linear_group(block, whole / LANES, xs, CHUNK, w, ws, sums);
                if (rest) linear_tail(block, rest, xs + whole, CHUNK, count, w + whole, ws, sums);
            }
            for (long r = 0; r < block; r++)
                for (long i = 0; i < count; i++) {
                    float total = sum_lanes(sums[r * GROUP + i]);
                    y[r * outputs + n + i] = bias ? total + bias[n + i] : total;
                }
        }
    }
}
