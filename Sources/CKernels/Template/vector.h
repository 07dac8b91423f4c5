// Vectors, and the functions of them that kernels share. A file that includes this defines WIDTH, the
// floats in a register, FUSED where the set has fused multiply-add, and around it all the instruction
// set by a `#pragma clang attribute`.
//
// Sums are taken over LANES = 16 virtual lanes and folded in one order whatever WIDTH is; where each
// output is a chain of its own, kernels work with registers. So all sets give the same bits.

#define K static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
#define LANES 16

typedef float vf __attribute__((ext_vector_type(LANES)));
typedef int32_t vi __attribute__((ext_vector_type(LANES)));
typedef double vd __attribute__((ext_vector_type(LANES)));
typedef float wf __attribute__((ext_vector_type(WIDTH)));
typedef float f4 __attribute__((ext_vector_type(4)));
typedef float f16 __attribute__((ext_vector_type(16)));

K vf splat(float x) { return (vf)(x); }
K wf wide(float x) { return (wf)(x); }

K vf load(const float *p) {
    vf v;
    memcpy(&v, p, sizeof v);
    return v;
}

K wf wide_load(const float *p) {
    wf v;
    memcpy(&v, p, sizeof v);
    return v;
}

K void store(float *p, vf v) { memcpy(p, &v, sizeof v); }
K void wide_store(float *p, wf v) { memcpy(p, &v, sizeof v); }

// The first `left` lanes, or all of them; lanes past the end are 0 and are not touched in memory.
K vf get(const float *p, long left) {
    if (left >= LANES) return load(p);
    vf v = splat(0);
    memcpy(&v, p, left * sizeof(float));
    return v;
}

K void put(float *p, long left, vf v) {
    if (left >= LANES)
        store(p, v);
    else
        memcpy(p, &v, left * sizeof(float));
}

// Steps i through n elements by vectors; `left` elements remain, this vector's included.
#define EACH_VECTOR(i, left, n) for (long i = 0, left = (n); left > 0; i += LANES, left -= LANES)

// a b + c, rounded once.
#if defined(FUSED)
K vf fma_(vf a, vf b, vf c) { return __builtin_elementwise_fma(a, b, c); }
K wf wide_fma(wf a, wf b, wf c) { return __builtin_elementwise_fma(a, b, c); }
#else
// By way of double, where the product is exact. The sum is rounded to odd: an inexact one whose last
// bit is 0 moves to its neighbour on the side of what was cut off, so that rounding to float sees on
// which side of a tie it lies.
// Source: Boldo & Melquiond 2008, "Emulation of FMA and correctly rounded sums", IEEE Trans. Comput. 57.
#define FMA_BY_DOUBLE(NAME, COUNT)                                                                 \
    K float __attribute__((ext_vector_type(COUNT)))                                                \
    NAME(float __attribute__((ext_vector_type(COUNT))) a,                                          \
         float __attribute__((ext_vector_type(COUNT))) b,                                          \
         float __attribute__((ext_vector_type(COUNT))) c) {                                        \
        typedef float floats_ __attribute__((ext_vector_type(COUNT)));                             \
        typedef double doubles_ __attribute__((ext_vector_type(COUNT)));                           \
        typedef int64_t longs_ __attribute__((ext_vector_type(COUNT)));                            \
        doubles_ x = __builtin_convertvector(a, doubles_) * __builtin_convertvector(b, doubles_);  \
        doubles_ y = __builtin_convertvector(c, doubles_), s = x + y, t = s - x;                   \
        doubles_ rest = (x - (s - t)) + (y - t);                                                   \
        longs_ bits, outward = (rest > 0) ^ (s < 0);                                               \
        memcpy(&bits, &s, sizeof bits);                                                            \
        longs_ moves = ((rest > 0) | (rest < 0)) & ((bits & 1) == 0);                              \
        bits += moves & (outward ? (longs_)(1) : (longs_)(-1));                                    \
        memcpy(&s, &bits, sizeof bits);                                                            \
        return __builtin_convertvector(s, floats_);                                                \
    }
FMA_BY_DOUBLE(fma_, LANES)
FMA_BY_DOUBLE(wide_fma, WIDTH)
#undef FMA_BY_DOUBLE
#endif

K vf greater(vf a, vf b) { return a > b ? a : b; }

// 0, 1, 2, ... in the lanes.
K vi lane_numbers(void) {
    vi v;
    UNROLL for (int i = 0; i < LANES; i++) v[i] = i;
    return v;
}

// Lanes before `count` (which may be negative) of v, and `other` in the rest.
K vf first_lanes(vf v, long count, float other) {
    return lane_numbers() < (vi)((int32_t)count) ? v : splat(other);
}

// `other` in the lanes before `count` (which may be negative), and v in the rest.
K vf later_lanes(vf v, long count, float other) {
    return lane_numbers() < (vi)((int32_t)count) ? splat(other) : v;
}

// Halves are folded onto each other: one fixed order.
K float sum_lanes(vf v) {
    __typeof__(v.lo) h = v.lo + v.hi;
    f4 q = h.lo + h.hi;
    return (q.x + q.z) + (q.y + q.w);
}

K double sum_lanes_double(vd v) {
    double total = 0;
    UNROLL for (int i = 0; i < LANES; i++) total += v[i];
    return total;
}

K float greatest_lane(vf v) {
    __typeof__(v.lo) h = v.lo > v.hi ? v.lo : v.hi;
    f4 q = h.lo > h.hi ? h.lo : h.hi;
    float a = q.x > q.z ? q.x : q.z, b = q.y > q.w ? q.y : q.w;
    return a > b ? a : b;
}

// e^x = 2^n (1 + p) with |r| <= ln 2 / 2; p = r + r^2/2 + ... + r^7/5040 leaves 5e-9. The power is
// applied in two factors, so that subnormal and infinite results come out by themselves.
K vf exp_parts(vf x, vf *p) {
    x = x > splat(89) ? splat(89) : x;
    x = x < splat(-104) ? splat(-104) : x;
    vf shifted = fma_(x, splat(0x1.715476p+0f), splat(0x1.8p23f));
    vf n = shifted - splat(0x1.8p23f);
    vf r = fma_(n, splat(-0x1.62e4p-1f), x);
    r = fma_(n, splat(-0x1.7f7d1cp-20f), r);
    vf q = splat(1.0f / 5040);
    q = fma_(q, r, splat(1.0f / 720));
    q = fma_(q, r, splat(1.0f / 120));
    q = fma_(q, r, splat(1.0f / 24));
    q = fma_(q, r, splat(1.0f / 6));
    q = fma_(q, r, splat(0.5f));
    *p = fma_(q * r, r, r);
    return n;
}

K vf power_of_two(vi n) {
    vi bits = (n + (vi)(127)) << (vi)(23);
    vf v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

K vf exp_(vf x) {
    vf p, n = exp_parts(x, &p), shifted = n + splat(0x1.8p23f);
    vi bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits -= (vi)(0x4b400000);
    vi half = bits >> (vi)(1);
    return (p + splat(1)) * power_of_two(half) * power_of_two(bits - half);
}

// e^x - 1 for x in 0...40, without cancellation.
K vf expm1_(vf x) {
    vf p, n = exp_parts(x, &p), shifted = n + splat(0x1.8p23f);
    vi bits;
    memcpy(&bits, &shifted, sizeof bits);
    vf power = power_of_two(bits - (vi)(0x4b400000));
    return fma_(power, p, power - splat(1));
}

K vf sigmoid_(vf x) { return splat(1) / (splat(1) + exp_(-x)); }

// tanh |x| = e / (e + 2) with e = e^(2 |x|) - 1.
K vf tanh_(vf x) {
    vf size = x < splat(0) ? -x : x;
    size = size > splat(20) ? splat(20) : size;
    vf e = expm1_(size + size), t = e / (e + splat(2));
    return x < splat(0) ? -t : (x == splat(0) ? x : t);
}

// ln x = k ln 2 + ln (1 + f) with 1 + f in [2/3, 4/3); ln (1 + f) = f - f^2/2 + f^3 q, q the minimax
// polynomial of degree 8 (error 9e-10 of the whole). The greatest error over all floats is 0.85 ulp.
K vf log_(vf x) {
    vi small = x < splat(0x1p-126f), bits, mantissa, above;
    vf scaled = small ? x * splat(0x1p23f) : x, f;
    memcpy(&bits, &scaled, sizeof bits);
    above = bits - (vi)(0x3f2aaaab);  // 2/3
    mantissa = bits - (above & (vi)(-0x800000));
    memcpy(&f, &mantissa, sizeof f);
    f -= splat(1);
    vf k = __builtin_convertvector(above >> (vi)(23), vf) - (small ? splat(23) : splat(0));
    vf q = splat(0x1.fa1ffep-4f);
    q = fma_(q, f, splat(-0x1.07164cp-3f));
    q = fma_(q, f, splat(0x1.b4b52cp-4f));
    q = fma_(q, f, splat(-0x1.f38784p-4f));
    q = fma_(q, f, splat(0x1.25203ep-3f));
    q = fma_(q, f, splat(-0x1.55992p-3f));
    q = fma_(q, f, splat(0x1.9995fap-3f));
    q = fma_(q, f, splat(-0x1.ffff0ep-3f));
    q = fma_(q, f, splat(0x1.555558p-2f));
    // ln 2 in two parts, of which the first has 16 bits: its product with k is exact.
    vf whole = k * splat(0x1.62e4p-1f), top = whole + f, rest = (whole - top) + f;
    rest = fma_(k, splat(0x1.7f7d1cp-20f), rest);
    vf y = top + fma_(f * f, fma_(q, f, splat(-0.5f)), rest);
    vf special = x < splat(0) ? splat(NAN) : (x == splat(0) ? splat(-INFINITY) : x);
    return x > splat(0) && x < splat(INFINITY) ? y : special;
}

K vf root_(vf x) { return __builtin_elementwise_sqrt(x); }

// Dot product with four accumulators.
K float dot(long n, const float *a, const float *b) {
    vf s[4] = {splat(0), splat(0), splat(0), splat(0)};
    long i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES)
        UNROLL for (int j = 0; j < 4; j++)
            s[j] = fma_(load(a + i + j * LANES), load(b + i + j * LANES), s[j]);
    for (; i < n; i += LANES) s[0] = fma_(get(a + i, n - i), get(b + i, n - i), s[0]);
    return sum_lanes((s[0] + s[1]) + (s[2] + s[3]));
}
