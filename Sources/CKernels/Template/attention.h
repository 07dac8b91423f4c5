// Causal attention in float over tiles of TILE keys, counted from position 0.
//
// Scores and weighted sums are small matrix products whose every output is one chain of
// multiply-adds in a fixed order, so a query row has the same bits alone and in a block.

enum { TILE = CK_PAGE, QUERY_ROWS = 48 };

// C[R, N registers] (+)= A[R, P] B[P, N registers]; element (r, p) of A lies at r * ar + p * ap.
K void small_tile(const long R, const long N, long P, const float *a, long ar, long ap,
                    const float *b, long bs, float *c, long cs, const bool adding) {
    wf s[6][8];
    UNROLL for (long r = 0; r < R; r++)
        UNROLL for (long n = 0; n < N; n++)
            s[r][n] = adding ? wide_load(c + r * cs + n * WIDTH) : wide(0);
    for (long p = 0; p < P; p++) {
        wf v[8];
        UNROLL for (long n = 0; n < N; n++) v[n] = wide_load(b + p * bs + n * WIDTH);
        UNROLL for (long r = 0; r < R; r++) {
            wf f = wide(a[r * ar + p * ap]);
            UNROLL for (long n = 0; n < N; n++) s[r][n] = wide_fma(f, v[n], s[r][n]);
        }
    }
    UNROLL for (long r = 0; r < R; r++)
        UNROLL for (long n = 0; n < N; n++) wide_store(c + r * cs + n * WIDTH, s[r][n]);
}

K void small_rows(const long R, const long N, long columns, long P, const float *a, long ar,
                    long ap, const float *b, long bs, float *c, long cs, const bool adding) {
    long j = 0;
    for (; j + N * WIDTH <= columns; j += N * WIDTH)
        small_tile(R, N, P, a, ar, ap, b + j, bs, c + j, cs, adding);
    for (; j < columns; j += WIDTH)
        small_tile(R, 1, P, a, ar, ap, b + j, bs, c + j, cs, adding);
}

// `columns` is whole vectors.
K void small_any(long M, long columns, long P, const float *a, long ar, long ap, const float *b,
                   long bs, float *c, long cs, const bool adding) {
    for (; M >= 6; M -= 6, a += 6 * ar, c += 6 * cs)
        small_rows(6, 2, columns, P, a, ar, ap, b, bs, c, cs, adding);
    for (; M >= 2; M -= 2, a += 2 * ar, c += 2 * cs)
        small_rows(2, 4, columns, P, a, ar, ap, b, bs, c, cs, adding);
    if (M) small_rows(1, 8, columns, P, a, ar, ap, b, bs, c, cs, adding);
}

static void small_product(long M, long columns, long P, const float *a, long ar, long ap, const float *b,
                    long bs, float *c, long cs) {
    small_any(M, columns, P, a, ar, ap, b, bs, c, cs, false);
}

static void small_product_adding(long M, long columns, long P, const float *a, long ar, long ap,
                           const float *b, long bs, float *c, long cs) {
    small_any(M, columns, P, a, ar, ap, b, bs, c, cs, true);
}

K long whole_vectors(long n) { return (n + LANES - 1) / LANES * LANES; }

// to[d, j] = x[j, d] for `count` rows of `dim`; columns up to TILE are 0.
static void transpose(long count, long dim, const float *x, long stride, float *to) {
    long j = 0;
    for (; j + 4 <= count; j += 4) {
        const float *row = x + j * stride;
        long d = 0;
        for (; d + 4 <= dim; d += 4) {
            f4 a, b, c, e;
            memcpy(&a, row + d, sizeof a);
            memcpy(&b, row + stride + d, sizeof b);
            memcpy(&c, row + 2 * stride + d, sizeof c);
            memcpy(&e, row + 3 * stride + d, sizeof e);
            f4 ab0 = __builtin_shufflevector(a, b, 0, 4, 1, 5);
            f4 ab1 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
            f4 ce0 = __builtin_shufflevector(c, e, 0, 4, 1, 5);
            f4 ce1 = __builtin_shufflevector(c, e, 2, 6, 3, 7);
            f4 out[4] = {__builtin_shufflevector(ab0, ce0, 0, 1, 4, 5),
                         __builtin_shufflevector(ab0, ce0, 2, 3, 6, 7),
                         __builtin_shufflevector(ab1, ce1, 0, 1, 4, 5),
                         __builtin_shufflevector(ab1, ce1, 2, 3, 6, 7)};
            UNROLL for (int i = 0; i < 4; i++) memcpy(to + (d + i) * TILE + j, out + i, sizeof a);
        }
        for (; d < dim; d++)
            for (long i = 0; i < 4; i++) to[d * TILE + j + i] = row[i * stride + d];
    }
    for (; j < TILE; j++)
        for (long d = 0; d < dim; d++) to[d * TILE + j] = j < count ? x[j * stride + d] : 0;
}

// Rows whose length is whole vectors: the given ones, or a copy filled up with zeros.
static const float *padded(long count, long dim, const float *x, long *stride, float *to) {
    if (dim % LANES == 0) return x;
    long width = whole_vectors(dim);
    for (long j = 0; j < count; j++) {
        memcpy(to + j * width, x + j * *stride, dim * sizeof(float));
        memset(to + j * width + dim, 0, (width - dim) * sizeof(float));
    }
    *stride = width;
    return to;
}

// Asks for rows of memory before they are read: a head's rows lie apart, which no CPU foresees.
K void prefetch_rows(long count, long dim, const float *x, long stride) {
    for (long j = 0; j < count; j++)
        for (long d = 0; d < dim; d += 16) __builtin_prefetch(x + j * stride + d);
}

// Query rows that share a tile of keys: positions of one head, or heads of one position.
typedef struct {
    long count, position, step;  // row i is at position + i * step
    const float *q;
    long stride;
    float *o, *top, *total;  // running output [count, width], maximum and sum of exponentials
} query_rows;

// The first key of a tile that a row sees, where it sees those before `limit`.
K long first_seen(long window, long limit) { return window && limit > window ? limit - window : 0; }

// One row's scores become exponentials against its running maximum; o and total are rescaled.
// It sees the keys below..<limit.
K void soften(float *s, long below, long limit, long columns, float scale, long width, float *o,
              float *top, float *total) {
    long from = below >= limit ? columns : below / LANES * LANES;
    for (long j = 0; j < from; j += LANES) store(s + j, splat(0));
    if (from == columns) return;
    vf by = splat(scale), best = splat(-INFINITY);
    for (long j = from; j < columns; j += LANES) {
        // Scores past the limit are kept for now: e^-inf would meet subnormal numbers, which stall.
        vf v = load(s + j) * by, seen = first_lanes(v, limit - j, -INFINITY);
        best = greater(j < below ? later_lanes(seen, below - j, -INFINITY) : seen, best);
        store(s + j, v);
    }
    float tile_top = greatest_lane(best), now = tile_top > *top ? tile_top : *top;
    vf middle = splat(now), sum = splat(0);
    for (long j = from; j < columns; j += LANES) {
        vf e = first_lanes(exp_(load(s + j) - middle), limit - j, 0);
        if (j < below) e = later_lanes(e, below - j, 0);
        sum += e;
        store(s + j, e);
    }
    // Before a row's first tile o and total are 0, and stay it.
    if (now != *top && *top != -INFINITY) {
        vf correction = exp_(splat(*top - now));
        *total *= correction[0];
        for (long d = 0; d < width; d += LANES) store(o + d, load(o + d) * correction);
    }
    *top = now;
    *total += sum_lanes(sum);
}

// Takes the keys first..<first + length into the rows that see them.
static void attend(query_rows rows, long first, long length, long dim, float scale, long window,
                   const float *keys, const float *values, long value_stride, float *scores) {
    long width = whole_vectors(dim);
    long from = rows.step && first > rows.position ? first - rows.position : 0;
    for (long i = from; i < rows.count; i += 12) {
        long n = rows.count - i < 12 ? rows.count - i : 12;
        long seen = rows.position + (i + n - 1) * rows.step + 1 - first;
        if (seen > length) seen = length;
        long columns = whole_vectors(seen);
        small_product(n, columns, dim, rows.q + i * rows.stride, rows.stride, 1, keys, TILE, scores,
                TILE);
        for (long r = 0; r < n; r++) {
            long limit = rows.position + (i + r) * rows.step + 1 - first;
            soften(scores + r * TILE, first_seen(window, limit), limit < seen ? limit : seen,
                   columns, scale, width, rows.o + (i + r) * width, rows.top + i + r, rows.total + i + r);
        }
        small_product_adding(n, width, seen, scores, TILE, 1, values, value_stride, rows.o + i * width,
                       width);
    }
}

static void attention(const ck_attention_shape *shape, const ck_attention_segment *segment,
                      long kv_head, long first, long n) {
    long H = shape->query_heads, KV = shape->kv_heads, D = shape->head_dim, group = H / KV;
    long width = whole_vectors(D), rows = n * group, key_stride = KV * D;
    float *transposed = ck_scratch(
        ((D + 12) * TILE + TILE * width + rows * (width + 2)) * sizeof(float) + 64);
    float *scores = transposed + D * TILE, *packed = scores + 12 * TILE;
    float *o = packed + TILE * width, *top = o + rows * width, *total = top + rows;
    memset(o, 0, rows * width * sizeof(float));
    for (long r = 0; r < rows; r++) top[r] = -INFINITY, total[r] = 0;

    // Rows are kept head by head; a single position takes its heads together.
    const float *q = (const float *)segment->q + (first * H + kv_head * group) * D;
    long seen = segment->past + first + n;
    long earliest = first_seen(shape->window, segment->past + first + 1) / TILE * TILE;
    for (long tile = earliest; tile < seen; tile += TILE) {
        long length = seen - tile < TILE ? seen - tile : TILE, stride = key_stride;
        long page = tile / TILE, ahead = seen - tile - length < TILE ? seen - tile - length : TILE;
        const float *keys = segment->keys[page], *next = ahead > 0 ? segment->keys[page + 1] : NULL;
        const float *values = (const float *)segment->values[page] + kv_head * D;
        if (rows < TILE) {
            prefetch_rows(length, D, values, key_stride);
            if (next && segment->keys_by_column)
                prefetch_rows(D, TILE, next + kv_head * D * TILE, TILE);
            else if (next)
                prefetch_rows(ahead, D, next + kv_head * D, key_stride);
        }
        if (segment->keys_by_column) {
            keys += kv_head * D * TILE;
        } else {
            transpose(length, D, keys + kv_head * D, key_stride, transposed);
            keys = transposed;
        }
        values = padded(length, D, values, &stride, packed);
        for (long set = 0; set < (n == 1 ? 1 : group); set++) {
            query_rows part = {n == 1 ? group : n, segment->past + first, n == 1 ? 0 : 1,
                               q + set * D, n == 1 ? D : H * D, o + set * n * width,
                               top + set * n, total + set * n};
            attend(part, tile, length, D, (float)shape->scale, shape->window, keys, values, stride,
                   scores);
        }
    }
    if (segment->log_sum_exp)
        EACH_VECTOR(r, left, rows)
            put(top + r, left, get(top + r, left) + log_(get(total + r, left)));
    for (long g = 0; g < group; g++)
        for (long i = 0; i < n; i++) {
            long r = g * n + i, at = (first + i) * H + kv_head * group + g;
            float *out = (float *)segment->out + at * D;
            EACH_VECTOR(d, left, D)
                put(out + d, left, load(o + r * width + d) / splat(total[r]));
            if (segment->log_sum_exp) ((float *)segment->log_sum_exp)[at] = top[r];
        }
}

// Scratch of the backward pass: one tile of keys against QUERY_ROWS query rows.
typedef struct {
    float *keys_t, *values_t, *keys, *dk, *dv;  // [D, TILE] twice, [TILE, width] three times
    float *p, *ds;                              // [QUERY_ROWS, TILE]
    float *q, *g, *dq;                          // [QUERY_ROWS, width]
} backward_scratch;

// p = e^(s - lse), ds = p (dp - delta) scale for keys the row sees, 0 for the others.
K void soften_backward(float *p, float *ds, long below, long limit, long columns, float scale,
                       float lse, float delta) {
    for (long j = 0; j < columns; j += LANES) {
        vf e = first_lanes(exp_(fma_(load(p + j), splat(scale), splat(-lse))), limit - j, 0);
        if (j < below) e = later_lanes(e, below - j, 0);
        vf slope = e * (load(ds + j) - splat(delta)) * splat(scale);
        store(p + j, e);
        store(ds + j, first_lanes(slope, limit - j, 0));
    }
}

K void add_rows(long count, long dim, const float *x, long xs, float *y, long ys) {
    for (long r = 0; r < count; r++) add(dim, x + r * xs, y + r * ys, y + r * ys);
}

static void attention_backward(const ck_attention_shape *shape, const ck_attention_gradient *s,
                               long kv_head) {
    long H = shape->query_heads, KV = shape->kv_heads, D = shape->head_dim, group = H / KV;
    long width = whole_vectors(D), T = s->count, row = H * D, key_row = KV * D;
    float *memory = ck_scratch((2 * D * TILE + 3 * TILE * width + 2 * QUERY_ROWS * TILE
                                + 3 * QUERY_ROWS * width + group * T) * sizeof(float));
    backward_scratch m;
    m.keys_t = memory, m.values_t = m.keys_t + D * TILE, m.p = m.values_t + D * TILE;
    m.ds = m.p + QUERY_ROWS * TILE, m.keys = m.ds + QUERY_ROWS * TILE;
    m.dk = m.keys + TILE * width, m.dv = m.dk + TILE * width, m.q = m.dv + TILE * width;
    m.g = m.q + QUERY_ROWS * width, m.dq = m.g + QUERY_ROWS * width;
    float *delta = m.dq + QUERY_ROWS * width;
    long heads = kv_head * group;
    for (long g = 0; g < group; g++)
        for (long i = 0; i < T; i++) {
            long at = i * row + (heads + g) * D;
            delta[g * T + i] = dot(D, (const float *)s->upstream + at, (const float *)s->out + at);
        }

    for (long tile = 0; tile < T; tile += TILE) {
        long length = T - tile < TILE ? T - tile : TILE, at = tile * key_row + kv_head * D;
        long key_stride = key_row;
        transpose(length, D, (const float *)s->keys + at, key_row, m.keys_t);
        transpose(length, D, (const float *)s->values + at, key_row, m.values_t);
        const float *keys = padded(length, D, (const float *)s->keys + at, &key_stride, m.keys);
        memset(m.dk, 0, TILE * width * sizeof(float));
        memset(m.dv, 0, TILE * width * sizeof(float));
        for (long task = 0; task < group * ((T - tile + QUERY_ROWS - 1) / QUERY_ROWS); task++) {
            long g = task % group, i = tile + task / group * QUERY_ROWS;
            long n = T - i < QUERY_ROWS ? T - i : QUERY_ROWS, from = i * row + (heads + g) * D;
            long q_stride = row, g_stride = row;
            const float *q = padded(n, D, (const float *)s->q + from, &q_stride, m.q);
            const float *up = padded(n, D, (const float *)s->upstream + from, &g_stride, m.g);
            long seen = i + n - tile < length ? i + n - tile : length;
            long columns = whole_vectors(seen);
            small_product(n, columns, D, q, q_stride, 1, m.keys_t, TILE, m.p, TILE);
            small_product(n, columns, D, up, g_stride, 1, m.values_t, TILE, m.ds, TILE);
            for (long r = 0; r < n; r++) {
                long limit = i + r + 1 - tile;
                float lse = ((const float *)s->log_sum_exp)[(i + r) * H + heads + g];
                soften_backward(m.p + r * TILE, m.ds + r * TILE, first_seen(shape->window, limit),
                                limit < seen ? limit : seen, columns, (float)shape->scale, lse, delta[g * T + i + r]);
            }
            small_product_adding(seen, width, n, m.p, 1, TILE, up, g_stride, m.dv, width);
            small_product_adding(seen, width, n, m.ds, 1, TILE, q, q_stride, m.dk, width);
            small_product(n, width, seen, m.ds, TILE, 1, keys, key_stride, m.dq, width);
            add_rows(n, D, m.dq, width, (float *)s->dq + from, row);
        }
        add_rows(length, D, m.dk, width, (float *)s->dk + at, key_row);
        add_rows(length, D, m.dv, width, (float *)s->dv + at, key_row);
    }
}
