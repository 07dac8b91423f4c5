// Elementwise kernels and reductions in float.

static void add(long n, const void *pa, const void *pb, void *py) {
    const float *a = pa, *b = pb;
    float *y = py;
    EACH_VECTOR(i, left, n) put(y + i, left, get(a + i, left) + get(b + i, left));
}

static void multiply(long n, const void *pa, const void *pb, void *py) {
    const float *a = pa, *b = pb;
    float *y = py;
    EACH_VECTOR(i, left, n) put(y + i, left, get(a + i, left) * get(b + i, left));
}

static void multiply_accumulate(long n, const void *pa, const void *pb, void *py) {
    const float *a = pa, *b = pb;
    float *y = py;
    EACH_VECTOR(i, left, n)
        put(y + i, left, fma_(get(a + i, left), get(b + i, left), get(y + i, left)));
}

static void accumulate(long n, const void *px, double by, void *py) {
    const float *x = px;
    float *y = py;
    vf factor = splat((float)by);
    EACH_VECTOR(i, left, n) put(y + i, left, fma_(factor, get(x + i, left), get(y + i, left)));
}

static void scale(long n, const void *px, double by, void *py) {
    const float *x = px;
    float *y = py;
    vf factor = splat((float)by);
    EACH_VECTOR(i, left, n) put(y + i, left, factor * get(x + i, left));
}

static void activate(int f, long n, const void *px, void *py) {
    const float *x = px;
    float *y = py;
#define EACH(EXPRESSION)                                                                           \
    EACH_VECTOR(i, left, n) {                                                                      \
        vf v = get(x + i, left);                                                                   \
        put(y + i, left, EXPRESSION);                                                              \
    }                                                                                              \
    break
    switch (f) {
    case CK_RELU: EACH(v < splat(0) ? splat(0) : v);
    case CK_TANH: EACH(tanh_(v));
    case CK_SIGMOID: EACH(sigmoid_(v));
    case CK_SILU: EACH(v / (splat(1) + exp_(-v)));
    case CK_EXP: EACH(exp_(v));
    default: EACH(log_(v));
    }
#undef EACH
}

// d silu(x) / dx from x and s = sigmoid(x).
K vf silu_slope(vf x, vf s) { return s * fma_(x, splat(1) - s, splat(1)); }

static void activate_backward(int f, long n, const void *px, const void *py, const void *pg,
                              void *pdx) {
    const float *x = px, *y = py, *g = pg;
    float *dx = pdx;
#define EACH(EXPRESSION)                                                                           \
    EACH_VECTOR(i, left, n) {                                                                      \
        vf v = get(x + i, left), u = get(y + i, left), h = get(g + i, left);                       \
        (void)u, (void)v;                                                                          \
        put(dx + i, left, get(dx + i, left) + (EXPRESSION));                                       \
    }                                                                                              \
    break
    switch (f) {
    case CK_RELU: EACH(v > splat(0) ? h : splat(0));
    case CK_TANH: EACH(h * (splat(1) - u * u));
    case CK_SIGMOID: EACH(h * u * (splat(1) - u));
    case CK_SILU: EACH(h * silu_slope(v, sigmoid_(v)));
    case CK_EXP: EACH(h * u);
    default: EACH(h / v);
    }
#undef EACH
}

static void swiglu(long n, const void *pgate, const void *pup, void *py) {
    const float *gate = pgate, *up = pup;
    float *y = py;
    EACH_VECTOR(i, left, n) {
        vf a = get(gate + i, left);
        put(y + i, left, a / (splat(1) + exp_(-a)) * get(up + i, left));
    }
}

static void swiglu_backward(long n, const void *pgate, const void *pup, const void *pg,
                            void *pdgate, void *pdup) {
    const float *gate = pgate, *up = pup, *g = pg;
    float *dgate = pdgate, *dup = pdup;
    EACH_VECTOR(i, left, n) {
        vf a = get(gate + i, left), b = get(up + i, left), u = get(g + i, left), s = sigmoid_(a);
        put(dgate + i, left, get(dgate + i, left) + u * b * silu_slope(a, s));
        put(dup + i, left, get(dup + i, left) + u * (a * s));
    }
}

static double sum(long n, const void *px) {
    const float *x = px;
    vd total = (vd)(0.0);
    EACH_VECTOR(i, left, n) total += __builtin_convertvector(get(x + i, left), vd);
    return sum_lanes_double(total);
}

static double sum_of_squares(long n, const void *px) {
    const float *x = px;
    vd total = (vd)(0.0);
    EACH_VECTOR(i, left, n) {
        vd v = __builtin_convertvector(get(x + i, left), vd);
        total += v * v;
    }
    return sum_lanes_double(total);
}

static void adamw(const ck_adamw *step, long n, void *pw, const void *pg, void *pm, void *pv) {
    float *w = pw, *m = pm, *v = pv;
    const float *g = pg;
    vf by = splat((float)step->gradient_scale);
    vf beta1 = splat((float)step->beta1), rest1 = splat((float)(1 - step->beta1));
    vf beta2 = splat((float)step->beta2), rest2 = splat((float)(1 - step->beta2));
    vf decay = splat((float)step->decay), rate = splat((float)step->rate);
    vf root = splat((float)step->root), epsilon = splat((float)step->epsilon);
    EACH_VECTOR(i, left, n) {
        vf gradient = by * get(g + i, left);
        vf first = fma_(beta1, get(m + i, left), rest1 * gradient);
        vf second = fma_(beta2, get(v + i, left), rest2 * gradient * gradient);
        vf change = rate * first / fma_(root_(second), root, epsilon);
        put(m + i, left, first);
        put(v + i, left, second);
        put(w + i, left, fma_(decay, get(w + i, left), -change));
    }
}

static void round_bfloat16(long n, const void *px, uint32_t key, uint32_t first, uint16_t *halves) {
    const float *x = px;
    for (long i = 0; i < n; i++) halves[i] = bfloat_rounded(x[i], key, first + (uint32_t)i);
}
