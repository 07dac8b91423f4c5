// C (+)= op(A) op(B), where every output is one chain of fused multiply-adds in the order of k, begun
// at 0 or at what C held. However the output is cut into blocks and tiles and k into panels, it has the
// same bits, and registers of any width give them.
//
// A panel of B lies in the second-level cache as strips of TILE_COLUMNS columns, each
// [steps, TILE_COLUMNS]; TILE_ROWS rows of A lie beside it in the first-level cache, and meet all strips
// in turn. A step is one k, or two in bfloat16: its operands are rounded where they are copied, and a
// lane holds the numbers of an even k below and of the next one above, which comes first in the chain.
// So `vdpbf16ps` has it, with subnormal numbers as 0.

enum { PANEL = 512, TILE_COLUMNS = 2 * WIDTH, ROW_GAP = PANEL + 16, TILE_GAP = 16,
       AHEAD = 8 };

#if defined(NATIVE_BFLOAT16)
K wf wide_dot(wf a, wf b, wf c) {
    __m512bh x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    return (wf)_mm512_dpbf16_ps((__m512)c, x, y);
}

// bfloat16 of 16 floats each, in even and in odd places.
K vf bfloat_pairs(vf even, vf odd) {
    vf pairs = (vf)_mm512_cvtne2ps_pbh((__m512)odd, (__m512)even);
    const short n[32] = {0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23,
                         8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    return (vf)_mm512_permutexvar_epi16(_mm512_loadu_si512(n), (__m512i)pairs);
}
#else
typedef uint32_t wu __attribute__((ext_vector_type(WIDTH)));
typedef uint32_t vu __attribute__((ext_vector_type(LANES)));

K wf wide_bits(wu bits) {
    wf v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

K wf wide_dot(wf a, wf b, wf c) {
    wu x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    c = wide_fma(wide_bits(x & 0xffff0000u), wide_bits(y & 0xffff0000u), c);
    return wide_fma(wide_bits(x << 16), wide_bits(y << 16), c);
}

// To nearest, ties to even; what is not a number stays so, and subnormal numbers become 0.
K vu bfloat_bits(vf x) {
    vu bits;
    memcpy(&bits, &x, sizeof bits);
    vu exponent = bits & 0x7f800000u, rounded = bits + 0x7fff + (bits >> 16 & 1);
    rounded = (bits & 0x7fffffffu) > 0x7f800000u ? bits | 0x400000u : rounded;
    return (exponent == 0 ? bits & 0x80000000u : rounded) >> 16;
}

// bfloat16 of 16 floats each, in even and in odd places.
K vf bfloat_pairs(vf even, vf odd) {
    vu pairs = bfloat_bits(even) | bfloat_bits(odd) << 16;
    vf v;
    memcpy(&v, &pairs, sizeof v);
    return v;
}
#endif

// R rows by N registers of a strip. Element (r, k) of A lies at r * row_step + k * step.
K void product_strip(const bool halves, const long R, const long N, long steps, const float *a,
                     const long row_step, const long step, const float *b, float *c, long cs,
                     bool adding) {
    wf s[TILE_ROWS][2];
    UNROLL for (long r = 0; r < R; r++)
        UNROLL for (long n = 0; n < N; n++)
            s[r][n] = adding ? wide_load(c + r * cs + n * WIDTH) : wide(0);
    for (long k = 0; k < steps; k++, a += step, b += TILE_COLUMNS) {
        wf v[2];
        UNROLL for (long n = 0; n < N; n++) v[n] = wide_load(b + n * WIDTH);
        UNROLL for (long r = 0; r < R; r++) {
            wf f = wide(a[r * row_step]);
            UNROLL for (long n = 0; n < N; n++)
                s[r][n] = halves ? wide_dot(f, v[n], s[r][n]) : wide_fma(f, v[n], s[r][n]);
        }
    }
    UNROLL for (long r = 0; r < R; r++)
        UNROLL for (long n = 0; n < N; n++) wide_store(c + r * cs + n * WIDTH, s[r][n]);
}

// R rows by all strips. Columns that fill no strip pass through a tile of their own.
K void product_strips(const bool halves, const long R, const long row_step, const long step,
                      long columns, long steps, const float *a, const float *b, float *c, long cs,
                      bool adding) {
    for (; columns >= TILE_COLUMNS; columns -= TILE_COLUMNS, b += PANEL * TILE_COLUMNS) {
        UNROLL for (long r = 0; r < R; r++)
            UNROLL for (long n = 0; n < TILE_COLUMNS; n += 16)
                __builtin_prefetch(c + r * cs + n, 1);
        product_strip(halves, R, 2, steps, a, row_step, step, b, c, cs, adding);
        c += TILE_COLUMNS;
    }
    if (columns == 0) return;
    float tile[TILE_ROWS * TILE_COLUMNS] = {0};
    if (adding)
        for (long r = 0; r < R; r++)
            memcpy(tile + r * TILE_COLUMNS, c + r * cs, columns * sizeof(float));
    if (columns > WIDTH)
        product_strip(halves, R, 2, steps, a, row_step, step, b, tile, TILE_COLUMNS, adding);
    else
        product_strip(halves, R, 1, steps, a, row_step, step, b, tile, TILE_COLUMNS, adding);
    for (long r = 0; r < R; r++)
        memcpy(c + r * cs, tile + r * TILE_COLUMNS, columns * sizeof(float));
}

// Two neighbours of a row in every lane, rounded. The last of an odd number stands beside 0.
K void round_row(long count, const float *x, float *to) {
    for (; count >= 2 * LANES; count -= 2 * LANES, x += 2 * LANES, to += LANES) {
        vf a = load(x), b = load(x + LANES);
        store(to, bfloat_pairs(__builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20,
                                                       22, 24, 26, 28, 30),
                               __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21,
                                                       23, 25, 27, 29, 31)));
    }
    if (count == 0) return;
    float even[LANES] = {0}, odd[LANES] = {0};
    for (long i = 0; i < count; i++) (i % 2 ? odd : even)[i / 2] = x[i];
    put(to, (count + 1) / 2, bfloat_pairs(load(even), load(odd)));
}

// Two rows in the lanes, rounded; without a second one its numbers are 0.
K void round_rows(long count, const float *x, const float *second, float *to) {
    EACH_VECTOR(i, left, count)
        put(to + i, left, bfloat_pairs(get(x + i, left), second ? get(second + i, left) : splat(0)));
}

// Columns j..<j + n of op(B) at k..<k + depth as a strip; missing columns are 0.
K void pack_strip(const bool halves, const ck_product *p, long j, long n, long k, long depth,
                  float *spare, float *to) {
    const float *b = p->b;
    long stride = p->b_stride, steps = halves ? (depth + 1) / 2 : depth;
    if (n < TILE_COLUMNS) memset(to, 0, steps * TILE_COLUMNS * sizeof(float));
    if (p->transpose_b) {
        b += j * stride + k;
        if (halves) {
            for (long i = 0; i < n; i++) round_row(depth, b + i * stride, spare + i * ROW_GAP);
            b = spare, stride = ROW_GAP;
        }
        transpose(n, steps, b, stride, to, TILE_COLUMNS);
        return;
    }
    b += k * stride + j;
    for (long i = 0; i < steps; i++, to += TILE_COLUMNS, b += (halves ? 2 : 1) * stride) {
        UNROLL for (long c = 0; c < TILE_COLUMNS; c += 16) __builtin_prefetch(b + AHEAD * stride + c);
        if (halves) {
            round_rows(n, b, 2 * i + 1 < depth ? b + stride : NULL, to);
        } else if (n == TILE_COLUMNS) {
            wide_store(to, wide_load(b));
            wide_store(to + WIDTH, wide_load(b + WIDTH));
        } else {
            memcpy(to, b, n * sizeof(float));
        }
    }
}

// R rows of op(A) from i on, and their products with all strips. Stored by rows, they are copied with a
// gap that spreads them over the cache's sets; stored by columns, k stays the slower index.
K void product_rows(const bool halves, const long R, const ck_product *p, long i, long columns,
                    long k, long depth, const float *strips, float *c, bool adding, float *rows) {
    const float *a = p->a;
    long stride = p->a_stride, steps = halves ? (depth + 1) / 2 : depth;
    if (p->transpose_a) {
        a += k * stride + i;
        for (long n = 0; n < steps; n++, a += (halves ? 2 : 1) * stride)
            if (halves)
                round_rows(R, a, 2 * n + 1 < depth ? a + stride : NULL, rows + n * TILE_GAP);
            else
                memcpy(rows + n * TILE_GAP, a, R * sizeof(float));
        a -= steps * (halves ? 2 : 1) * stride;
        for (long n = 0; n < depth; n++) __builtin_prefetch(a + n * stride + 2 * R - 1);
        product_strips(halves, R, 1, TILE_GAP, columns, steps, rows, strips, c, p->c_stride, adding);
    } else {
        a += i * stride + k;
        for (long r = 0; r < R; r++)
            if (halves)
                round_row(depth, a + r * stride, rows + r * ROW_GAP);
            else
                memcpy(rows + r * ROW_GAP, a + r * stride, depth * sizeof(float));
        for (long r = R; r < 2 * R; r++)
            for (long n = 0; n < depth; n += 16) __builtin_prefetch(a + r * stride + n);
        product_strips(halves, R, ROW_GAP, 1, columns, steps, rows, strips, c, p->c_stride, adding);
    }
}

K void product_panel(const bool halves, const ck_product *p, long i, long end, long columns, long k,
                     long depth, const float *strips, float *c, bool adding, float *rows) {
    for (; end - i >= TILE_ROWS; i += TILE_ROWS, c += TILE_ROWS * p->c_stride)
        product_rows(halves, TILE_ROWS, p, i, columns, k, depth, strips, c, adding, rows);
#define REST(R)                                                                                    \
    if (R < TILE_ROWS && end - i >= R) {                                                           \
        product_rows(halves, R, p, i, columns, k, depth, strips, c, adding, rows);                 \
        i += R, c += R * p->c_stride;                                                              \
    }
    REST(8) REST(4) REST(2) REST(1)
#undef REST
}

K void product_block(const bool halves, const ck_product *p, long i, long rows, long j,
                     long columns) {
    long count = (columns + TILE_COLUMNS - 1) / TILE_COLUMNS;
    float *spare = ck_scratch(
        (TILE_COLUMNS * ROW_GAP + TILE_ROWS * ROW_GAP + TILE_GAP * PANEL
         + count * PANEL * TILE_COLUMNS) * sizeof(float));
    float *tile = spare + TILE_COLUMNS * ROW_GAP;
    float *strips = tile + TILE_ROWS * ROW_GAP + TILE_GAP * PANEL;
    float *c = (float *)p->c + i * p->c_stride + j;
    const long most = halves ? 2 * PANEL : PANEL;
    for (long k = 0; k < p->k; k += most) {
        long depth = p->k - k < most ? p->k - k : most;
        for (long n = 0; n < columns; n += TILE_COLUMNS)
            pack_strip(halves, p, j + n, columns - n < TILE_COLUMNS ? columns - n : TILE_COLUMNS, k,
                       depth, spare, strips + n * PANEL);
        product_panel(halves, p, i, i + rows, columns, k, depth, strips, c, k > 0 || p->adding, tile);
    }
}

#if defined(NATIVE_BFLOAT16)
static void product_bfloat16(const ck_product *p, long i, long rows, long j, long columns) {
    product_block(true, p, i, rows, j, columns);
}
#else
static void product(const ck_product *p, long i, long rows, long j, long columns) {
    product_block(false, p, i, rows, j, columns);
}

static __attribute__((noinline)) void product_by_parts(const ck_product *p, long i, long rows, long j,
                                                       long columns) {
    product_block(true, p, i, rows, j, columns);
}

// With subnormal numbers as 0, as `vdpbf16ps` has it.
static void product_bfloat16(const ck_product *p, long i, long rows, long j, long columns) {
    uint64_t before = ck_flush_subnormals();
    product_by_parts(p, i, rows, j, columns);
    ck_restore_subnormals(before);
}
#endif
