// Elementary functions in double; see elementary.h for what they promise.
//
// Arguments are reduced, and leading terms added, in pairs of doubles, so that hardly more than the
// last rounding is lost; polynomials are Taylor's, long enough for their intervals.
#include "elementary.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

// A fused product would give other bits.
#pragma clang fp contract(off)

// The sum of two doubles, of which `low` is at most half a unit of the last place of `high`.
typedef struct {
    double high, low;
} pair;

static const double ln2_high = 0x1.62e42fefa38p-1;  // 42 bits: its small multiples are exact
static const double ln2_low = 0x1.ef35793c7673p-45;
static const pair third = {0x1.5555555555555p-2, 0x1.5555555555555p-56};
static const pair reciprocal_of_ln10 = {0x1.bcb7b1526e50ep-2, 0x1.95355baaafad3p-57};
static const pair half_pi = {0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54};

static uint64_t bits_of(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double of_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

// 2^n for n in -1022...1023.
static double power_of_two(int64_t n) { return of_bits((uint64_t)(n + 1023) << 52); }

// a + b without error, for |a| >= |b|, or a = 0 (Dekker 1971).
static pair ordered_sum(double a, double b) {
    double sum = a + b;
    return (pair){sum, b - (sum - a)};
}

// a b without error (Veltkamp's and Dekker's splitting), for factors below 2^990.
static pair product(double a, double b) {
    double a_scaled = 0x8000001p0 * a, b_scaled = 0x8000001p0 * b;
    double a_high = a_scaled - (a_scaled - a), b_high = b_scaled - (b_scaled - b);
    double a_low = a - a_high, b_low = b - b_high, high = a * b;
    double low = ((a_high * b_high - high) + a_high * b_low + a_low * b_high) + a_low * b_low;
    return (pair){high, low};
}

static pair product_of_pairs(pair a, pair b) {
    pair p = product(a.high, b.high);
    return ordered_sum(p.high, p.low + (a.high * b.low + a.low * b.high));
}

// a + b for |a| >= |b|.
static pair sum_of_pairs(pair a, pair b) {
    pair s = ordered_sum(a.high, b.high);
    return ordered_sum(s.high, s.low + (a.low + b.low));
}

// e^(high + low) = 2^n e^r with |r| <= ln 2 / 2. The power is applied in two factors, so that
// subnormal results are rounded once more, and no factor overflows.
static double exp_of_pair(pair x) {
    if (x.high > 710) return INFINITY;
    if (x.high < -746) return 0;
    double n = (x.high * 0x1.71547652b82fep+0 + 0x1.8p52) - 0x1.8p52;
    double near = x.high - n * ln2_high, low = x.low - n * ln2_low;
    double r = near + low, rest = (near - r) + low;
    double q = 1.0 / 87178291200;
    q = q * r + 1.0 / 6227020800;
    q = q * r + 1.0 / 479001600;
    q = q * r + 1.0 / 39916800;
    q = q * r + 1.0 / 3628800;
    q = q * r + 1.0 / 362880;
    q = q * r + 1.0 / 40320;
    q = q * r + 1.0 / 5040;
    q = q * r + 1.0 / 720;
    q = q * r + 1.0 / 120;
    q = q * r + 1.0 / 24;
    q = q * r + 1.0 / 6;
    pair square = product(r, r), s = ordered_sum(1, r);
    s = sum_of_pairs(s, (pair){0.5 * square.high, 0.5 * square.low});
    double y = s.high + (s.low + (q * r * square.high + rest * s.high));
    int64_t half = (int64_t)n / 2;
    return y * power_of_two(half) * power_of_two((int64_t)n - half);
}

double ck_exp(double x) { return x != x ? x : exp_of_pair((pair){x, 0}); }

// ln x for a finite x above 0: x = 2^k m with m in [1/sqrt 2, sqrt 2), and with s = (m-1) / (m+1)
//     ln m = 2 (s + s^3/3 + s^5/5 + ...).
static pair log_of(double x) {
    int64_t k = 0;
    if (x < 0x1p-1022) x *= 0x1p54, k = -54;
    uint64_t bits = bits_of(x), above = bits - 0x3fe6a09e667f3bcd;  // 1/sqrt 2
    k += (int64_t)above >> 52;
    double f = of_bits(bits - (above & 0xfff0000000000000)) - 1;
    pair divisor = ordered_sum(2, f), s, z, sum;
    s.high = f / divisor.high;
    pair back = product(s.high, divisor.high);
    s.low = (((f - back.high) - back.low) - s.high * divisor.low) / divisor.high;
    z = product_of_pairs(s, s);
    double q = 1.0 / 27, w = z.high;
    q = q * w + 1.0 / 25;
    q = q * w + 1.0 / 23;
    q = q * w + 1.0 / 21;
    q = q * w + 1.0 / 19;
    q = q * w + 1.0 / 17;
    q = q * w + 1.0 / 15;
    q = q * w + 1.0 / 13;
    q = q * w + 1.0 / 11;
    q = q * w + 1.0 / 9;
    q = q * w + 1.0 / 7;
    q = q * w + 1.0 / 5;
    sum = product_of_pairs(z, third);
    sum = sum_of_pairs(sum, (pair){q * w * w, 0});
    sum = sum_of_pairs(s, product_of_pairs(s, sum));
    return sum_of_pairs((pair){(double)k * ln2_high, (double)k * ln2_low},
                        (pair){2 * sum.high, 2 * sum.low});
}

// The logarithms of numbers that have no finite one: NaN, 0, negative and infinite numbers.
static bool has_log(double x) { return x > 0 && x < INFINITY; }
static double other_log(double x) { return x == 0 ? -INFINITY : x < 0 ? NAN : x; }

double ck_log(double x) { return has_log(x) ? log_of(x).high : other_log(x); }

double ck_log10(double x) {
    return has_log(x) ? product_of_pairs(log_of(x), reciprocal_of_ln10).high : other_log(x);
}

// ln (u + c) = ln u + c/u, u + c being 1 + x without error.
double ck_log1p(double x) {
    if (!has_log(1 + x)) return other_log(1 + x);
    pair u = x > 1 ? ordered_sum(x, 1) : ordered_sum(1, x), l = log_of(u.high);
    return x == 0 ? x : l.high + (l.low + u.low / u.high);
}

double ck_pow(double base, double exponent) {
    if (exponent == 0 || base == 1) return 1;
    if (!has_log(base)) return ck_exp(exponent * other_log(base));
    pair l = log_of(base);
    double size = exponent * l.high;
    if (!(size > -800 && size < 800)) return ck_exp(size);
    pair x = product(exponent, l.high);
    return exp_of_pair(ordered_sum(x.high, x.low + exponent * l.low));
}

// 2 / pi in binary, after 64 zeros.
static const uint64_t two_over_pi[] = {
    0x0000000000000000, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041,
    0xfe5163abdebbc561, 0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e,
    0xe88235f52ebb4484, 0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b,
    0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d,
    0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab,
};

// x less the nearest multiple of pi/2, for a finite |x| above pi/4; *turns is that multiple, mod 4.
//
// x is a 53-bit integer times 2^e. Of 2/pi the bits from 2^(1-e) down make a difference modulo 4
// turns; 192 of them leave 137 bits after the point, and no double is nearer to a multiple than 2^-62
// (Payne and Hanek 1983).
static pair reduced(double x, uint64_t *turns) {
    uint64_t bits = bits_of(x), m = (bits & 0xfffffffffffff) | 0x10000000000000, w[3], p[3];
    long e = (long)(bits >> 52 & 0x7ff) - 1075, from = 62 + e, shift = from % 64;
    for (long i = 0; i < 3; i++) {
        const uint64_t *word = two_over_pi + from / 64 + i;
        w[i] = shift ? word[0] << shift | word[1] >> (64 - shift) : word[0];
    }
    unsigned __int128 low = (unsigned __int128)m * w[2];
    unsigned __int128 middle = (unsigned __int128)m * w[1] + (uint64_t)(low >> 64);
    p[0] = m * w[0] + (uint64_t)(middle >> 64), p[1] = (uint64_t)middle, p[2] = (uint64_t)low;

    // The fraction of a turn, as an integer of 128 bits or so, rounded to the nearest: -1/2...1/2.
    bool negative = p[0] >> 61 & 1;
    *turns = (p[0] >> 62) + negative;
    uint64_t a = p[0] << 2 | p[1] >> 62, b = p[1] << 2 | p[2] >> 62, c = p[2] << 2;
    if (negative) a = ~a, b = ~b, c = ~c;
    int zeros = 0;
    for (; a == 0; zeros += 64) a = b, b = c, c = 0;
    int left = __builtin_clzll(a);
    zeros += left;
    if (left) a = a << left | b >> (64 - left), b = b << left | c >> (64 - left);
    pair fraction = {(double)(a >> 11) * 0x1p-53, (double)(a << 53 | b >> 11) * 0x1p-117};
    pair r = product_of_pairs(ordered_sum(fraction.high, fraction.low), half_pi);
    double size = power_of_two(-zeros);
    if (negative != (bool)(bits >> 63)) size = -size;
    if (bits >> 63) *turns = -*turns;
    return (pair){r.high * size, r.low * size};
}

static double sin_of_pair(pair x) {
    double r = x.high, z = r * r, q = 1.0 / 355687428096000;
    q = q * z - 1.0 / 1307674368000;
    q = q * z + 1.0 / 6227020800;
    q = q * z - 1.0 / 39916800;
    q = q * z + 1.0 / 362880;
    q = q * z - 1.0 / 5040;
    q = q * z + 1.0 / 120;
    q = q * z - 1.0 / 6;
    return r + (q * z * r + x.low * (1 - z * 0.5));
}

static double cos_of_pair(pair x) {
    double r = x.high, z = r * r, q = -1.0 / 6402373705728000;
    q = q * z + 1.0 / 20922789888000;
    q = q * z - 1.0 / 87178291200;
    q = q * z + 1.0 / 479001600;
    q = q * z - 1.0 / 3628800;
    q = q * z + 1.0 / 40320;
    q = q * z - 1.0 / 720;
    q = q * z + 1.0 / 24;
    pair s = ordered_sum(1, -0.5 * z);
    return s.high + (s.low + (q * z * z - r * x.low));
}

// sin (x + turns pi/2).
static double turned_sin(double x, uint64_t turns) {
    if (!(x > -INFINITY && x < INFINITY)) return NAN;
    pair r = {x, 0};
    if (x > half_pi.high / 2 || x < -half_pi.high / 2) {
        uint64_t more;
        r = reduced(x, &more);
        turns += more;
    }
    double y = turns & 1 ? cos_of_pair(r) : sin_of_pair(r);
    return turns & 2 ? -y : y;
}

double ck_sin(double x) { return x == 0 ? x : turned_sin(x, 0); }

double ck_cos(double x) { return turned_sin(x, 1); }
