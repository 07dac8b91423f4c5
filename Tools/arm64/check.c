// Compares this CPU's portable kernels with the double ones at odd sizes, and prints digests of the
// packed products, which every CPU must make bit by bit the same.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ckernels.h"

enum { N = 4 * 7 * 33, ROWS = 7, COLUMNS = 132 };

static float fx[4][N];
static double dx[4][N];
static int failures;

// Inputs that both element types hold exactly.
static void fill(void) {
    for (int m = 0; m < 4; m++)
        for (long i = 0; i < N; i++) dx[m][i] = fx[m][i] = (float)((i * 37 + m * 53) % 251 - 125) / 64;
}

static void compare(const char *what, long n, const float *a, const double *b) {
    double worst = 0;
    for (long i = 0; i < n; i++) {
        double error = fabs(a[i] - b[i]) / (1 + fabs(b[i]));
        if (!(error <= worst)) worst = isnan(error) ? INFINITY : error;
    }
    failures += worst > 2e-5;
    printf("%-24s %.1e%s\n", what, worst, worst > 2e-5 ? "  WRONG" : "");
}

// Calls a kernel of both tables with `f` and `d` in place of each input and output.
#define BOTH(what, n, ...)                                                                         \
    do {                                                                                           \
        static float fy[N], fz[N];                                                                 \
        static double dy[N], dz[N];                                                                \
        memcpy(fy, fx[3], sizeof fy), memcpy(dy, dx[3], sizeof dy);                                \
        { const ck_kernels *k = p; float(*x)[N] = fx, *y = fy, *z = fz; (void)x, (void)z; __VA_ARGS__; }\
        { const ck_kernels *k = q; double(*x)[N] = dx, *y = dy, *z = dz; (void)x, (void)z; __VA_ARGS__; }\
        compare(what, n, fy, dy);                                                                  \
    }                                                                                              \
    while (0)

static uint64_t digest(const void *bytes, size_t n) {
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < n; i++) hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3;
    return hash;
}

int main(void) {
    const ck_kernels *p = ck_kernels_named("portable"), *q = ck_kernels_double();
    fill();
    BOTH("add", N, k->add(N, x[0], x[1], y));
    BOTH("multiply", N, k->multiply(N, x[0], x[1], y));
    BOTH("multiply_accumulate", N, k->multiply_accumulate(N, x[0], x[1], y));
    BOTH("accumulate", N, k->accumulate(N, x[0], 0.375, y));
    BOTH("scale", N, k->scale(N, x[0], 0.375, y));
    for (int f = CK_RELU; f <= CK_EXP; f++) {
        BOTH("activate", N, k->activate(f, N, x[0], y));
        BOTH("activate_backward", N,
             (k->activate(f, N, x[0], z), k->activate_backward(f, N, x[0], z, x[1], y)));
    }
    BOTH("swiglu", N, k->swiglu(N, x[0], x[1], y));
    BOTH("swiglu_backward", N, k->swiglu_backward(N, x[0], x[1], x[2], y, z));
    BOTH("column_sums", COLUMNS, k->column_sums(ROWS, COLUMNS, COLUMNS, x[0], x[1], x[2], y));
    BOTH("rms_norm", N, k->rms_norm(ROWS, COLUMNS, x[0], x[1], 1e-6, y, z));
    BOTH("rms_norm_backward", N,
         (k->rms_norm(ROWS, COLUMNS, x[0], x[1], 1e-6, y, z),
          k->rms_norm_backward(ROWS, COLUMNS, x[0], x[1], z, x[2], y)));
    BOTH("softmax", N, k->softmax(ROWS, COLUMNS, x[0], y));
    BOTH("softmax_backward", N,
         (k->softmax(ROWS, COLUMNS, x[0], z), k->softmax_backward(ROWS, COLUMNS, z, x[1], y)));
    BOTH("rotate", N, k->rotate(ROWS, 6, 22, x[1], x[2], false, x[0], y));
    int32_t targets[ROWS] = {0, 131, 5, 77, 64, 31, 100};
    BOTH("cross_entropy", ROWS, k->cross_entropy(ROWS, COLUMNS, x[0], targets, y, z));
    BOTH("cross_entropy_backward", N,
         (k->cross_entropy(ROWS, COLUMNS, y, targets, z + ROWS, z),
          k->cross_entropy_backward(ROWS, COLUMNS, y, targets, z, x[1])));
    ck_adamw step = {.gradient_scale = 0.5, .beta1 = 0.9, .beta2 = 0.95, .epsilon = 1e-8,
                     .decay = 0.999, .rate = 1e-3, .root = 1.1};
    BOTH("adamw", N, (k->activate(CK_EXP, N, x[2], z), k->adamw(&step, N, y, x[0], x[1], z)));

    ck_attention_shape shape = {.query_heads = 2, .kv_heads = 1, .head_dim = 11, .scale = 0.25};
    BOTH("attention", 20 * 22, {
        const void *keys[] = {x[1]}, *values[] = {x[2]};
        ck_attention_segment s = {.count = 20, .q = x[0], .keys = keys, .values = values, .out = y};
        k->attention(&shape, &s, 0, 0, 20);
    });
    static double room[40 * CK_PAGE];
    BOTH("attention_backward", 20 * 22, {
        const void *keys[] = {x[1]}, *values[] = {x[2]};
        void *out = z, *sums = z + 20 * 22, *dk = z + 20 * 24, *dv = z + 20 * 35;
        ck_attention_segment s = {.count = 20, .q = x[0], .keys = keys, .values = values,
                                  .out = out, .log_sum_exp = sums};
        k->attention(&shape, &s, 0, 0, 20);
        ck_attention_gradient g = {.count = 20, .q = x[0], .keys = x[1], .values = x[2],
                                   .out = out, .log_sum_exp = sums, .upstream = x[3], .dq = y,
                                   .dk = dk, .dv = dv, .keys_by_column = room,
                                   .values_by_column = room + 11 * CK_PAGE,
                                   .delta = room + 22 * CK_PAGE, .dk_by_head = room + 23 * CK_PAGE,
                                   .dv_by_head = room + 31 * CK_PAGE};
        k->attention_backward_start(&shape, &g, 0);
        for (long head = 0; head < 2; head++) k->attention_backward(&shape, &g, head, 0, 20, 0, 20);
        k->attention_backward_end(&shape, &g, 0);
    });

    // Sixteen rows of 256 columns and three rows of activations, whatever the bytes may mean.
    static uint8_t stored[16 * 8 * 34], packed[16 * 8 * 34];
    for (unsigned i = 0; i < sizeof stored; i++) stored[i] = (uint8_t)((i * 89 + 7) & 0x3f);
    for (int format = CK_Q8_0; format <= CK_Q6_K; format++) {
        static float quantized[ROWS * 8 * 12], y[ROWS * 16];
        BOTH("dequantize", ck_block_size(format),
             k->dequantize(format, ck_block_size(format), stored, y));
        ck_pack(format, 16, 256, stored, 0, 1, packed);
        p->packed->quantize(3, 256, fx[0], format, 0, 3, quantized);
        p->packed->linear(3, 256, quantized, format, packed, 0, 1, 16, NULL, y);
        printf("%-24s %016llx\n", "packed product",
               (unsigned long long)digest(y, 3 * 16 * sizeof *y));
    }
    return failures > 0;
}
