// Plain kernels for one element type REAL: loops that read like their formulas. In double they
// serve gradient checks, and they are what the fast float kernels are tested against.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "blocks.h"
#include "ckernels.h"

static void add(long n, const void *pa, const void *pb, void *py) {
    const REAL *a = pa, *b = pb;
    REAL *y = py;
    for (long i = 0; i < n; i++) y[i] = a[i] + b[i];
}

static void multiply(long n, const void *pa, const void *pb, void *py) {
    const REAL *a = pa, *b = pb;
    REAL *y = py;
    for (long i = 0; i < n; i++) y[i] = a[i] * b[i];
}

static void multiply_accumulate(long n, const void *pa, const void *pb, void *py) {
    const REAL *a = pa, *b = pb;
    REAL *y = py;
    for (long i = 0; i < n; i++) y[i] += a[i] * b[i];
}

static void accumulate(long n, const void *px, double scale, void *py) {
    const REAL *x = px;
    REAL *y = py;
    for (long i = 0; i < n; i++) y[i] += (REAL)scale * x[i];
}

static void scale(long n, const void *px, double by, void *py) {
    const REAL *x = px;
    REAL *y = py;
    for (long i = 0; i < n; i++) y[i] = (REAL)by * x[i];
}

static REAL sigmoid(REAL x) { return 1 / (1 + exp(-x)); }

static void activate(int f, long n, const void *px, void *py) {
    const REAL *x = px;
    REAL *y = py;
    for (long i = 0; i < n; i++) {
        switch (f) {
        case CK_RELU: y[i] = x[i] < 0 ? 0 : x[i]; break;
        case CK_TANH: y[i] = tanh(x[i]); break;
        case CK_SIGMOID: y[i] = sigmoid(x[i]); break;
        case CK_SILU: y[i] = x[i] * sigmoid(x[i]); break;
        case CK_EXP: y[i] = exp(x[i]); break;
        default: y[i] = log(x[i]); break;
        }
    }
}

static void activate_backward(int f, long n, const void *px, const void *py, const void *pg,
                              void *pdx) {
    const REAL *x = px, *y = py, *g = pg;
    REAL *dx = pdx;
    for (long i = 0; i < n; i++) {
        REAL s = f == CK_SILU ? sigmoid(x[i]) : 0;
        switch (f) {
        case CK_RELU: dx[i] += x[i] > 0 ? g[i] : 0; break;
        case CK_TANH: dx[i] += g[i] * (1 - y[i] * y[i]); break;
        case CK_SIGMOID: dx[i] += g[i] * y[i] * (1 - y[i]); break;
        case CK_SILU: dx[i] += g[i] * s * (1 + x[i] * (1 - s)); break;
        case CK_EXP: dx[i] += g[i] * y[i]; break;
        default: dx[i] += g[i] / x[i]; break;
        }
    }
}

static void swiglu(long n, const void *pgate, const void *pup, void *py) {
    const REAL *gate = pgate, *up = pup;
    REAL *y = py;
    for (long i = 0; i < n; i++) y[i] = gate[i] * sigmoid(gate[i]) * up[i];
}

static void swiglu_backward(long n, const void *pgate, const void *pup, const void *pg,
                            void *pdgate, void *pdup) {
    const REAL *gate = pgate, *up = pup, *g = pg;
    REAL *dgate = pdgate, *dup = pdup;
    for (long i = 0; i < n; i++) {
        REAL s = sigmoid(gate[i]), a = gate[i], b = up[i], u = g[i];
        dgate[i] += u * b * s * (1 + a * (1 - s));
        dup[i] += u * a * s;
    }
}

static void column_sums(long rows, long columns, long stride, const void *px, const void *pa,
                        const void *ps, void *py) {
    const REAL *x = px, *a = pa, *s = ps;
    REAL *y = py;
    for (long r = 0; r < rows; r++)
        for (long c = 0; c < columns; c++)
            y[c] += a ? x[r * stride + c] * a[r * stride + c] * s[r] : x[r * stride + c];
}

static void rms_norm(long rows, long columns, const void *px, const void *pw, double epsilon,
                     void *py, void *ps) {
    const REAL *x = px, *w = pw;
    REAL *y = py, *s = ps;
    for (long r = 0; r < rows; r++, x += columns, y += columns) {
        REAL sum = 0;
        for (long c = 0; c < columns; c++) sum += x[c] * x[c];
        s[r] = 1 / sqrt(sum / columns + epsilon);
        for (long c = 0; c < columns; c++) y[c] = w[c] * (x[c] * s[r]);
    }
}

static void rms_norm_backward(long rows, long columns, const void *px, const void *pw,
                              const void *ps, const void *pg, void *pdx) {
    const REAL *x = px, *w = pw, *s = ps, *g = pg;
    REAL *dx = pdx;
    for (long r = 0; r < rows; r++, x += columns, g += columns, dx += columns) {
        REAL dot = 0;
        for (long c = 0; c < columns; c++) dot += x[c] * w[c] * g[c];
        REAL k = s[r] * s[r] * s[r] * dot / columns;
        for (long c = 0; c < columns; c++) dx[c] += s[r] * w[c] * g[c] - k * x[c];
    }
}

static REAL greatest(long n, const REAL *x) {
    REAL top = x[0];
    for (long i = 1; i < n; i++) top = x[i] > top ? x[i] : top;
    return top;
}

static void softmax(long rows, long columns, const void *px, void *py) {
    const REAL *x = px;
    REAL *y = py;
    for (long r = 0; r < rows; r++, x += columns, y += columns) {
        REAL top = greatest(columns, x), sum = 0;
        for (long c = 0; c < columns; c++) sum += y[c] = exp(x[c] - top);
        for (long c = 0; c < columns; c++) y[c] /= sum;
    }
}

static void softmax_backward(long rows, long columns, const void *py, const void *pg, void *pdx) {
    const REAL *y = py, *g = pg;
    REAL *dx = pdx;
    for (long r = 0; r < rows; r++, y += columns, g += columns, dx += columns) {
        REAL dot = 0;
        for (long c = 0; c < columns; c++) dot += y[c] * g[c];
        for (long c = 0; c < columns; c++) dx[c] += y[c] * (g[c] - dot);
    }
}

static void rotate(long rows, long heads, long head_dim, const void *pcos, const void *psin,
                   bool inverse, const void *px, void *py) {
    const REAL *cosines = pcos, *sines = psin, *x = px;
    REAL *y = py;
    long half = head_dim / 2;
    for (long r = 0; r < rows; r++)
        for (long h = 0; h < heads; h++)
            for (long j = 0; j < half; j++) {
                long i = (r * heads + h) * head_dim + j;
                REAL a = x[i], b = x[i + half], c = cosines[r * half + j];
                REAL s = inverse ? -sines[r * half + j] : sines[r * half + j];
                y[i] = a * c - b * s;
                y[i + half] = a * s + b * c;
            }
}

static void cross_entropy(long rows, long columns, const void *plogits, const int32_t *targets,
                          void *plosses, void *plse) {
    const REAL *logits = plogits;
    REAL *losses = plosses, *lse = plse;
    for (long r = 0; r < rows; r++, logits += columns) {
        REAL top = greatest(columns, logits), sum = 0;
        for (long c = 0; c < columns; c++) sum += exp(logits[c] - top);
        lse[r] = top + log(sum);
        losses[r] = targets[r] < 0 ? 0 : lse[r] - logits[targets[r]];
    }
}

static void cross_entropy_backward(long rows, long columns, void *plogits, const int32_t *targets,
                                   const void *plse, const void *pweights) {
    REAL *logits = plogits;
    const REAL *lse = plse, *weights = pweights;
    for (long r = 0; r < rows; r++, logits += columns) {
        if (targets[r] < 0) {
            memset(logits, 0, columns * sizeof(REAL));
            continue;
        }
        for (long c = 0; c < columns; c++) logits[c] = weights[r] * exp(logits[c] - lse[r]);
        logits[targets[r]] -= weights[r];
    }
}

static double summarize_logits(long n, const void *px, double factor, void *pgreatest,
                               double *sums) {
    const REAL *x = px;
    REAL *greatest = pgreatest, top = -INFINITY;
    for (long i = 0; i < n; i++) {
        REAL *block = greatest + i / CK_LOGIT_BLOCK;
        if (i % CK_LOGIT_BLOCK == 0) *block = -INFINITY;
        if (x[i] > *block) *block = x[i];
        if (x[i] > top) top = x[i];
    }
    REAL middle = top > -INFINITY ? top : 0;
    sums[0] = sums[1] = 0;
    for (long i = 0; i < n; i++) {
        sums[0] += exp(x[i] - middle);
        sums[1] += exp((x[i] - middle) * factor);
    }
    return top;
}

static double sum(long n, const void *px) {
    const REAL *x = px;
    double total = 0;
    for (long i = 0; i < n; i++) total += x[i];
    return total;
}

static double sum_of_squares(long n, const void *px) {
    const REAL *x = px;
    double total = 0;
    for (long i = 0; i < n; i++) total += (double)x[i] * x[i];
    return total;
}

static void adamw(const ck_adamw *step, long n, void *pw, const void *pg, void *pm, void *pv) {
    REAL *w = pw, *m = pm, *v = pv;
    const REAL *g = pg;
    for (long i = 0; i < n; i++) {
        double gradient = step->gradient_scale * g[i];
        m[i] = step->beta1 * m[i] + (1 - step->beta1) * gradient;
        v[i] = step->beta2 * v[i] + (1 - step->beta2) * gradient * gradient;
        w[i] = step->decay * w[i]
             - step->rate * m[i] / (sqrt((double)v[i]) * step->root + step->epsilon);
    }
}

static void round_bfloat16(long n, const void *px, uint32_t key, uint32_t first, uint16_t *halves) {
    const REAL *x = px;
    for (long i = 0; i < n; i++) halves[i] = bfloat_rounded((float)x[i], key, first + (uint32_t)i);
}

static void linear(long rows, long inputs, const void *px, int format, const void *pw, long begin,
                   long end, long outputs, const void *pbias, void *py) {
    const REAL *x = px, *bias = pbias;
    REAL *y = py;
    REAL *row = malloc(inputs * sizeof(REAL) + 1);
    for (long n = begin; n < end; n++) {
        const REAL *w = row;
        if (format == CK_NATIVE)
            w = (const REAL *)pw + n * inputs;
        else
            dequantize(format, inputs,
                       (const char *)pw + n * (inputs / ck_block_size(format))
                           * ck_block_bytes(format), row);
        for (long r = 0; r < rows; r++) {
            REAL dot = 0;
            for (long k = 0; k < inputs; k++) dot += x[r * inputs + k] * w[k];
            y[r * outputs + n] = bias ? dot + bias[n] : dot;
        }
    }
    free(row);
}

static void attention(const ck_attention_shape *shape, const ck_attention_segment *segment,
                      long kv_head, long first, long n) {
    long H = shape->query_heads, K = shape->kv_heads, D = shape->head_dim, group = H / K;
    REAL *p = malloc((segment->past + segment->count) * sizeof(REAL));
    for (long i = first; i < first + n; i++)
        for (long h = kv_head * group; h < (kv_head + 1) * group; h++) {
            const REAL *q = (const REAL *)segment->q + (i * H + h) * D;
            REAL *out = (REAL *)segment->out + (i * H + h) * D;
            long keys = segment->past + i + 1, window = shape->window;
            long from = window && keys > window ? keys - window : 0;
            for (long j = from; j < keys; j++) {
                const REAL *k = (const REAL *)segment->keys[j / CK_PAGE] + segment->keys_from;
                long step = segment->keys_by_column ? CK_PAGE : 1;
                k += segment->keys_by_column ? kv_head * D * CK_PAGE + j % CK_PAGE
                                             : (j % CK_PAGE * K + kv_head) * D;
                REAL dot = 0;
                for (long d = 0; d < D; d++) dot += q[d] * k[d * step];
                p[j] = dot * shape->scale;
            }
            REAL top = greatest(keys - from, p + from), total = 0;
            for (long j = from; j < keys; j++) total += p[j] = exp(p[j] - top);
            for (long d = 0; d < D; d++) {
                REAL o = 0;
                for (long j = from; j < keys; j++) {
                    const REAL *v = (const REAL *)segment->values[j / CK_PAGE] + segment->values_from;
                    o += p[j] * v[(j % CK_PAGE * K + kv_head) * D + d];
                }
                out[d] = o / total;
            }
            if (segment->log_sum_exp) ((REAL *)segment->log_sum_exp)[i * H + h] = top + log(total);
        }
    free(p);
}

static void attention_backward_start(const ck_attention_shape *shape,
                                     const ck_attention_gradient *s, long first) {
    long H = shape->query_heads, D = shape->head_dim;
    for (long i = first; i < s->count && i < first + CK_PAGE; i++)
        for (long h = 0; h < H; h++) {
            const REAL *g = (const REAL *)s->upstream + (i * H + h) * D;
            const REAL *out = (const REAL *)s->out + (i * H + h) * D;
            REAL delta = 0;
            for (long d = 0; d < D; d++) delta += g[d] * out[d];
            ((REAL *)s->delta)[h * s->count + i] = delta;
        }
}

static void attention_backward(const ck_attention_shape *shape, const ck_attention_gradient *s,
                               long head, long first_key, long keys, long first_row, long rows) {
    long H = shape->query_heads, K = shape->kv_heads, D = shape->head_dim, T = s->count;
    if (first_row == first_key)
        for (long i = (head * T + first_key) * D; i < (head * T + first_key + keys) * D; i++)
            ((REAL *)s->dk_by_head)[i] = ((REAL *)s->dv_by_head)[i] = 0;
    for (long i = first_row; i < first_row + rows; i++) {
        long at = (i * H + head) * D;
        const REAL *q = (const REAL *)s->q + at, *g = (const REAL *)s->upstream + at;
        REAL *dq = (REAL *)s->dq + at, lse = ((const REAL *)s->log_sum_exp)[i * H + head];
        REAL delta = ((const REAL *)s->delta)[head * T + i];
        for (long j = first_key; j < first_key + keys && j <= i; j++) {
            if (shape->window && j <= i - shape->window) continue;
            long from = (j * K + head / (H / K)) * D, to = (head * T + j) * D;
            const REAL *k = (const REAL *)s->keys + from, *v = (const REAL *)s->values + from;
            REAL *dk = (REAL *)s->dk_by_head + to, *dv = (REAL *)s->dv_by_head + to;
            REAL score = 0, dp = 0;
            for (long d = 0; d < D; d++) score += q[d] * k[d], dp += g[d] * v[d];
            REAL p = exp(score * shape->scale - lse), ds = p * (dp - delta) * shape->scale;
            for (long d = 0; d < D; d++) {
                dq[d] += ds * k[d];
                dk[d] += ds * q[d];
                dv[d] += p * g[d];
            }
        }
    }
}

static void attention_backward_end(const ck_attention_shape *shape, const ck_attention_gradient *s,
                                   long first) {
    long H = shape->query_heads, K = shape->kv_heads, D = shape->head_dim;
    for (long i = first; i < s->count && i < first + CK_PAGE; i++)
        for (long h = 0; h < H; h++)
            for (long d = 0; d < D; d++) {
                long from = (h * s->count + i) * D + d, to = (i * K + h / (H / K)) * D + d;
                ((REAL *)s->dk)[to] += ((const REAL *)s->dk_by_head)[from];
                ((REAL *)s->dv)[to] += ((const REAL *)s->dv_by_head)[from];
            }
}
