// Kernels over the rows of a matrix, in float.

// Rows are added in runs of 64 to a partial sum, which keeps rounding small over many rows.
static void column_sums(long rows, long columns, long stride, const void *px, const void *pa,
                        const void *ps, void *py) {
    const float *x = px, *a = pa, *s = ps;
    float *y = py;
    for (long first = 0; first < rows; first += 64) {
        long last = first + 64 < rows ? first + 64 : rows;
        EACH_VECTOR(c, left, columns) {
            vf total = splat(0);
            for (long r = first; r < last; r++) {
                vf v = get(x + r * stride + c, left);
                total = a ? fma_(v * splat(s[r]), get(a + r * stride + c, left), total) : total + v;
            }
            put(y + c, left, get(y + c, left) + total);
        }
    }
}

static void rms_norm(long rows, long columns, const void *px, const void *pw, double epsilon,
                     void *py, void *ps) {
    const float *x = px, *w = pw;
    float *y = py, *s = ps;
    for (long r = 0; r < rows; r++, x += columns, y += columns) {
        s[r] = 1 / sqrtf(dot(columns, x, x) / (float)columns + (float)epsilon);
        vf factor = splat(s[r]);
        EACH_VECTOR(c, left, columns)
            put(y + c, left, get(w + c, left) * (get(x + c, left) * factor));
    }
}

static void rms_norm_backward(long rows, long columns, const void *px, const void *pw,
                              const void *ps, const void *pg, void *pdx) {
    const float *x = px, *w = pw, *s = ps, *g = pg;
    float *dx = pdx;
    for (long r = 0; r < rows; r++, x += columns, g += columns, dx += columns) {
        vf total[2] = {splat(0), splat(0)};
        EACH_VECTOR(c, left, columns) {
            vf u = get(w + c, left) * get(g + c, left);
            total[c / LANES % 2] = fma_(u, get(x + c, left), total[c / LANES % 2]);
        }
        float mean = sum_lanes(total[0] + total[1]) / (float)columns;
        vf factor = splat(s[r]), back = splat(-s[r] * s[r] * s[r] * mean);
        EACH_VECTOR(c, left, columns) {
            vf u = get(w + c, left) * get(g + c, left);
            vf change = fma_(factor, u, back * get(x + c, left));
            put(dx + c, left, get(dx + c, left) + change);
        }
    }
}

K float greatest(long n, const float *x) {
    vf top = splat(-INFINITY);
    EACH_VECTOR(i, left, n) top = greater(first_lanes(get(x + i, left), left, -INFINITY), top);
    return greatest_lane(top);
}

// y = e^((x - top) by) where y is not null; returns the sum. Partial sums of 1024 numbers are taken
// in float, their total in double: rows may hold a whole vocabulary.
K double exponentials(long n, const float *x, float top, float by, float *y) {
    double total = 0;
    vf middle = splat(top), factor = splat(by);
    for (long first = 0; first < n; first += 1024) {
        vf part[2] = {splat(0), splat(0)};
        EACH_VECTOR(i, left, n - first < 1024 ? n - first : 1024) {
            vf e = exp_((get(x + first + i, left) - middle) * factor);
            if (y) put(y + first + i, left, e);
            part[i / LANES % 2] += first_lanes(e, left, 0);
        }
        total += sum_lanes(part[0] + part[1]);
    }
    return total;
}

static void softmax(long rows, long columns, const void *px, void *py) {
    const float *x = px;
    float *y = py;
    for (long r = 0; r < rows; r++, x += columns, y += columns)
        scale(columns, y, 1 / exponentials(columns, x, greatest(columns, x), 1, y), y);
}

static void softmax_backward(long rows, long columns, const void *py, const void *pg, void *pdx) {
    const float *y = py, *g = pg;
    float *dx = pdx;
    for (long r = 0; r < rows; r++, y += columns, g += columns, dx += columns) {
        vf mean = splat(dot(columns, y, g));
        EACH_VECTOR(c, left, columns) {
            vf change = fma_(get(y + c, left), get(g + c, left) - mean, get(dx + c, left));
            put(dx + c, left, change);
        }
    }
}

static void rotate(long rows, long heads, long head_dim, const void *pcos, const void *psin,
                   bool inverse, const void *px, void *py) {
    const float *cosines = pcos, *sines = psin, *x = px;
    float *y = py;
    long half = head_dim / 2;
    vf sign = splat(inverse ? -1 : 1);
    for (long r = 0; r < rows; r++, cosines += half, sines += half)
        for (long h = 0; h < heads; h++, x += head_dim, y += head_dim)
            EACH_VECTOR(j, left, half) {
                vf a = get(x + j, left), b = get(x + half + j, left);
                vf c = get(cosines + j, left), s = sign * get(sines + j, left);
                put(y + j, left, fma_(a, c, -(b * s)));
                put(y + half + j, left, fma_(a, s, b * c));
            }
}

static void cross_entropy(long rows, long columns, const void *plogits, const int32_t *targets,
                          void *plosses, void *plse) {
    const float *logits = plogits;
    float *losses = plosses, *lse = plse;
    for (long r = 0; r < rows; r++, logits += columns) {
        float top = greatest(columns, logits);
        double whole = top + ck_log(exponentials(columns, logits, top, 1, NULL));
        lse[r] = (float)whole;
        losses[r] = targets[r] < 0 ? 0 : (float)(whole - logits[targets[r]]);
    }
}

static void cross_entropy_backward(long rows, long columns, void *plogits, const int32_t *targets,
                                   const void *plse, const void *pweights) {
    float *logits = plogits;
    const float *lse = plse, *weights = pweights;
    for (long r = 0; r < rows; r++, logits += columns) {
        if (targets[r] < 0) {
            memset(logits, 0, columns * sizeof(float));
            continue;
        }
        vf middle = splat(lse[r]), weight = splat(weights[r]);
        EACH_VECTOR(c, left, columns)
            put(logits + c, left, weight * exp_(get(logits + c, left) - middle));
        logits[targets[r]] -= weights[r];
    }
}
