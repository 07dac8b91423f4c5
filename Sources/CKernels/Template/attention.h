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
static void by_column(long count, long dim, const float *x, long stride, float *to) {
    transpose(count, dim, x, stride, to, TILE);
    if (count < TILE)
        for (long d = 0; d < dim; d++)
            memset(to + d * TILE + count, 0, (TILE - count) * sizeof(float));
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
        const float *keys = (const float *)segment->keys[page] + segment->keys_from, *next = NULL;
        const float *values = (const float *)segment->values[page] + segment->values_from + kv_head * D;
        if (ahead > 0) next = (const float *)segment->keys[page + 1] + segment->keys_from;
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
            by_column(length, D, keys + kv_head * D, key_stride, transposed);
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

static void attention_backward_start(const ck_attention_shape *shape,
                                     const ck_attention_gradient *s, long first) {
    long H = shape->query_heads, KV = shape->kv_heads, D = shape->head_dim;
    long n = s->count - first < TILE ? s->count - first : TILE;
    for (long h = 0; h < KV; h++) {
        long from = (first * KV + h) * D, to = (first / TILE * KV + h) * D * TILE;
        by_column(n, D, (const float *)s->keys + from, KV * D, (float *)s->keys_by_column + to);
        by_column(n, D, (const float *)s->values + from, KV * D, (float *)s->values_by_column + to);
    }
    for (long i = first; i < first + n; i++)
        for (long h = 0; h < H; h++) {
            long at = (i * H + h) * D;
            ((float *)s->delta)[h * s->count + i] =
                dot(D, (const float *)s->upstream + at, (const float *)s->out + at);
        }
}

// Puts rows back that `padded` has copied.
K void put_rows(long count, long dim, const float *copy, long copy_stride, float *x, long stride) {
    if (copy == x) return;
    for (long r = 0; r < count; r++)
        memcpy(x + r * stride, copy + r * copy_stride, dim * sizeof(float));
}

static void attention_backward(const ck_attention_shape *shape, const ck_attention_gradient *s,
                               long head, long first_key, long keys, long first_row, long rows) {
    long H = shape->query_heads, KV = shape->kv_heads, D = shape->head_dim;
    long kv_head = head / (H / KV), width = whole_vectors(D), row = H * D, end = first_row + rows;
    // Where rows are not whole vectors, copies: of keys and gradients by key, of queries and by query.
    long copies = D % LANES ? 3 * TILE + 3 * QUERY_ROWS : 0;
    float *p = ck_scratch((2 * QUERY_ROWS * TILE + copies * width) * sizeof(float));
    float *ds = p + QUERY_ROWS * TILE, *copy = ds + QUERY_ROWS * TILE;
    const float *delta = (const float *)s->delta + head * s->count;
    for (long tile = first_key; tile < first_key + keys; tile += TILE) {
        long length = s->count - tile < TILE ? s->count - tile : TILE;
        long by_column = (tile / TILE * KV + kv_head) * D * TILE;
        const float *keys_t = (const float *)s->keys_by_column + by_column;
        const float *values_t = (const float *)s->values_by_column + by_column;
        float *own_dk = (float *)s->dk_by_head + (head * s->count + tile) * D;
        float *own_dv = (float *)s->dv_by_head + (head * s->count + tile) * D;
        if (first_row == first_key) {
            memset(own_dk, 0, length * D * sizeof(float));
            memset(own_dv, 0, length * D * sizeof(float));
        }
        long k_stride = KV * D, dk_stride = D, dv_stride = D;
        const float *k = (const float *)s->keys + (tile * KV + kv_head) * D;
        k = padded(length, D, k, &k_stride, copy);
        float *dk = (float *)padded(length, D, own_dk, &dk_stride, copy + TILE * width);
        float *dv = (float *)padded(length, D, own_dv, &dv_stride, copy + 2 * TILE * width);
        float *q_copy = copy + 3 * TILE * width, *g_copy = q_copy + QUERY_ROWS * width;
        for (long i = first_row > tile ? first_row : tile; i < end; i += QUERY_ROWS) {
            long n = end - i < QUERY_ROWS ? end - i : QUERY_ROWS, from = i * row + head * D;
            long q_stride = row, g_stride = row, dq_stride = row;
            const float *q = padded(n, D, (const float *)s->q + from, &q_stride, q_copy);
            const float *g = padded(n, D, (const float *)s->upstream + from, &g_stride, g_copy);
            float *dq = (float *)padded(n, D, (float *)s->dq + from, &dq_stride,
                                        g_copy + QUERY_ROWS * width);
            long seen = i + n - tile < length ? i + n - tile : length;
            long columns = whole_vectors(seen);
            small_product(n, columns, D, q, q_stride, 1, keys_t, TILE, p, TILE);
            small_product(n, columns, D, g, g_stride, 1, values_t, TILE, ds, TILE);
            for (long r = 0; r < n; r++) {
                long limit = i + r + 1 - tile;
                float lse = ((const float *)s->log_sum_exp)[(i + r) * H + head];
                soften_backward(p + r * TILE, ds + r * TILE, first_seen(shape->window, limit),
                                limit < seen ? limit : seen, columns, (float)shape->scale, lse,
                                delta[i + r]);
            }
            small_product_adding(seen, width, n, p, 1, TILE, g, g_stride, dv, dv_stride);
            small_product_adding(seen, width, n, ds, 1, TILE, q, q_stride, dk, dk_stride);
            small_product_adding(n, width, seen, ds, TILE, 1, k, k_stride, dq, dq_stride);
            put_rows(n, D, dq, dq_stride, (float *)s->dq + from, row);
        }
        put_rows(length, D, dk, dk_stride, own_dk, D);
        put_rows(length, D, dv, dv_stride, own_dv, D);
    }
}

static void attention_backward_end(const ck_attention_shape *shape, const ck_attention_gradient *s,
                                   long first) {
    long H = shape->query_heads, KV = shape->kv_heads, D = shape->head_dim, group = H / KV;
    long end = s->count - first < TILE ? s->count : first + TILE;
    for (long i = first; i < end; i++)
        for (long h = 0; h < H; h++) {
            long from = (h * s->count + i) * D, to = (i * KV + h / group) * D;
            float *dk = (float *)s->dk + to, *dv = (float *)s->dv + to;
            add(D, dk, (const float *)s->dk_by_head + from, dk);
            add(D, dv, (const float *)s->dv_by_head + from, dv);
        }
}
