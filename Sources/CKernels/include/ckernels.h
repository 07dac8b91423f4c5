// The C face of the kernels: one table of functions per element type and instruction set, a thread
// pool, aligned memory, and SHA-256. Everything here is called by the Swift module Kernels alone.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elementary.h"

#pragma clang assume_nonnull begin

// Weight formats, with ggml's block layouts. CK_NATIVE is the table's own element type.
enum ck_format {
    CK_NATIVE = -1,
    CK_F32 = 0,
    CK_F16,
    CK_BF16,
    CK_Q8_0,
    CK_Q4_0,
    CK_Q4_1,
    CK_Q5_0,
    CK_Q5_1,
    CK_Q4_K,
    CK_Q5_K,
    CK_Q6_K,
};

// Logits in a block of a summary.
enum { CK_LOGIT_BLOCK = 256 };

enum ck_activation { CK_RELU, CK_TANH, CK_SIGMOID, CK_SILU, CK_EXP, CK_LOG };

// Heads and scale of grouped attention: query head h reads key head h / (query_heads / kv_heads).
typedef struct ck_attention_shape {
    long query_heads, kv_heads, head_dim;
    double scale;
    long window;  // a row sees so many positions, its last ones; 0: all
} ck_attention_shape;

// Positions in a page of keys or values.
enum { CK_PAGE = 64 };

// One segment's operands. Rows of q, out, dq are [query_heads * head_dim] and start at the
// segment's first query; rows of keys and values are [kv_heads * head_dim], and those of the
// positions from p * CK_PAGE on begin `keys_from` elements behind keys[p] and `values_from` behind
// values[p]. Keys by column are instead [kv_heads, head_dim, CK_PAGE] there, whatever columns nobody
// sees may hold.
typedef struct ck_attention_segment {
    long count, past;
    bool keys_by_column;
    const void *q;
    const void *_Nullable const *_Nonnull keys, *_Nullable const *_Nonnull values;
    long keys_from, values_from;
    void *out;
    void *_Nullable log_sum_exp;  // [count, query_heads]
} ck_attention_segment;

// Operands of the backward pass over one segment with past = 0, and room that its parts share. dq, dk
// and dv are added to; the gradients of keys and values come by query head first, for those that share
// a key-value head to be worked on side by side.
typedef struct ck_attention_gradient {
    long count;
    const void *q, *keys, *values, *out, *log_sum_exp, *upstream;
    void *dq, *dk, *dv;
    void *keys_by_column, *values_by_column;  // [tiles, kv_heads, head_dim, CK_PAGE]
    void *delta;                              // [query_heads, count]: out * upstream, summed by head
    void *dk_by_head, *dv_by_head;            // [query_heads, count, head_dim]
} ck_attention_gradient;

// Scalars of one optimizer step, bias corrections already folded in:
//     m = beta1 m + (1 - beta1) s g        v = beta2 v + (1 - beta2) (s g)^2
//     w = decay w - rate m / (sqrt(v) * root + epsilon)
typedef struct ck_adamw {
    double gradient_scale, beta1, beta2, epsilon, decay, rate, root;
} ck_adamw;

// A product of matrices: C = op(A) op(B), or C + op(A) op(B). op(A) is [m, k] and stored by rows, or by
// columns where it is transposed; op(B) is [k, n].
typedef struct ck_product {
    const void *a, *b;
    void *c;
    long a_stride, b_stride, c_stride, k;
    bool transpose_a, transpose_b, adding;
} ck_product;

// Products of float rows with packed weights, by way of int8: y[r * outputs + n] as `linear` has it.
typedef struct ck_packed_products {
    // Rows begin..<end of x[rows, inputs] as the products want them: ck_quantized_bytes in all.
    void (*quantize)(long rows, long inputs, const float *x, int format, long begin, long end,
                     void *quantized);
    // The outputs of strips begin..<end, 16 each.
    void (*linear)(long rows, long inputs, const void *quantized, int format, const void *packed,
                   long begin, long end, long outputs, const float *_Nullable bias, float *y);
} ck_packed_products;

// All kernels of one element type on one instruction set. `void *` is that element type; each
// function runs on the calling thread, and its result does not depend on how callers split work.
typedef struct ck_kernels {
    const char *name;

    void (*add)(long n, const void *a, const void *b, void *y);
    void (*multiply)(long n, const void *a, const void *b, void *y);
    void (*multiply_accumulate)(long n, const void *a, const void *b, void *y);
    void (*accumulate)(long n, const void *x, double scale, void *y);
    void (*scale)(long n, const void *x, double by, void *y);
    void (*activate)(int f, long n, const void *x, void *y);
    void (*activate_backward)(int f, long n, const void *x, const void *y, const void *g, void *dx);
    void (*swiglu)(long n, const void *gate, const void *up, void *y);
    void (*swiglu_backward)(long n, const void *gate, const void *up, const void *g, void *dgate,
                            void *dup);

    // y[c] += sum over rows of x[r * stride + c] for c < columns, optionally times a[r*stride+c]*s[r]
    void (*column_sums)(long rows, long columns, long stride, const void *x,
                        const void *_Nullable a, const void *_Nullable s, void *y);
    void (*rms_norm)(long rows, long columns, const void *x, const void *w, double epsilon, void *y,
                     void *s);
    void (*rms_norm_backward)(long rows, long columns, const void *x, const void *w, const void *s,
                              const void *g, void *dx);
    void (*softmax)(long rows, long columns, const void *x, void *y);
    void (*softmax_backward)(long rows, long columns, const void *y, const void *g, void *dx);
    void (*rotate)(long rows, long heads, long head_dim, const void *cosines, const void *sines,
                   bool inverse, const void *x, void *y);
    void (*cross_entropy)(long rows, long columns, const void *logits, const int32_t *targets,
                          void *losses, void *log_sum_exp);
    void (*cross_entropy_backward)(long rows, long columns, void *logits, const int32_t *targets,
                                   const void *log_sum_exp, const void *weights);
    // One pass over a row of logits. greatest[b] is the greatest of block b of CK_LOGIT_BLOCK logits;
    // sums[0] = sum of e^(x - top), sums[1] = sum of e^((x - top) * factor), NaN where a logit is
    // infinite or not a number, 0 where all are -infinity; returns top, the greatest of all.
    double (*summarize_logits)(long n, const void *x, double factor, void *greatest, double *sums);
    double (*sum)(long n, const void *x);
    double (*sum_of_squares)(long n, const void *x);
    void (*adamw)(const ck_adamw *step, long n, void *w, const void *g, void *m, void *v);

    // halves[i] is x[i] as bfloat16, rounded up or down by chance, so that it is x[i] on average;
    // the chance is a hash of `key` and `first` + i.
    void (*round_bfloat16)(long n, const void *x, uint32_t key, uint32_t first, uint16_t *halves);
    // `count` values (whole blocks) of a format, widened to the element type.
    void (*dequantize)(int format, long count, const void *bytes, void *y);
    // y[r * outputs + n] = sum_k x[r, k] w[n, k] (+ bias[n]) for n in begin..<end.
    void (*linear)(long rows, long inputs, const void *x, int format, const void *w, long begin,
                   long end, long outputs, const void *_Nullable bias, void *y);

    // The outputs [i..<i + rows, j..<j + columns] of a product, each one chain of fused multiply-adds in
    // the order of k. In bfloat16, operands are rounded to it, and the sums stay floats. NULL in the
    // table of double.
    void (*_Nullable product)(const ck_product *p, long i, long rows, long j, long columns);
    void (*_Nullable product_bfloat16)(const ck_product *p, long i, long rows, long j, long columns);

    const struct ck_packed_products *_Nullable packed;  // of float tables only

    // Queries first..<first + n of a segment, all query heads that read `kv_head`.
    void (*attention)(const ck_attention_shape *shape, const ck_attention_segment *segment,
                      long kv_head, long first, long n);
    // The backward pass, in this order: for every tile of CK_PAGE positions from `first` on, its start;
    // for every query head its rows against keys from the same position on, then against earlier and
    // earlier ones, whole tiles both; and for every tile its end.
    void (*attention_backward_start)(const ck_attention_shape *shape,
                                     const ck_attention_gradient *segment, long first);
    void (*attention_backward)(const ck_attention_shape *shape,
                               const ck_attention_gradient *segment, long head, long first_key,
                               long keys, long first_row, long rows);
    void (*attention_backward_end)(const ck_attention_shape *shape,
                                   const ck_attention_gradient *segment, long first);
} ck_kernels;

// Plain double kernels: the definition that the fast ones are tested against.
const ck_kernels *ck_kernels_double(void);
// Float kernels for the calling thread: fast ones of this CPU, after RSD_INSTRUCTION_SET and a
// self-check, or those that ck_kernels_use named.
const ck_kernels *ck_kernels_float(void);
// Gives the calling thread, and the loops that it lets the pool run, a table of its own; NULL takes it
// away. Returns the one before.
const ck_kernels *_Nullable ck_kernels_use(const ck_kernels *_Nullable table);
// The float table of a name ("portable", "avx2", "avx512"), or NULL where this CPU cannot run it.
const ck_kernels *_Nullable ck_kernels_named(const char *name);

// Values and bytes in a block of a format.
long ck_block_size(int format);
long ck_block_bytes(int format);

// The index of the first number, among those of `count` blocks, that is infinite or not a number;
// of a quantised block with such a scale its first number. -1 where all are finite.
long ck_first_not_finite(int format, long count, const void *blocks);

// What is subtracted from a packed format's unsigned numbers; rows quantised for one format serve
// all with the same.
int ck_zero_point(int format);
// Bytes of a packed [rows, columns] matrix, or 0 where its format is not packed.
long ck_packed_bytes(int format, long rows, long columns);
// Packs strips begin..<end, of 16 rows each.
void ck_pack(int format, long rows, long columns, const void *bytes, long begin, long end,
             void *packed);
// Bytes of [rows, columns] quantised activations.
long ck_quantized_bytes(long rows, long columns);

// OPENBLAS_CORETYPE that suits this CPU, or NULL where OpenBLAS should decide.
const char *_Nullable ck_openblas_core(void);
// CPU brand string, or an empty one.
void ck_cpu_model(char *text, long capacity);

// 64-byte aligned memory; large blocks are kept for reuse. `bytes` must be the allocated size.
void *ck_allocate(size_t bytes);
void ck_deallocate(void *memory, size_t bytes);
// Memory of a lifetime's length, zeroed, in huge pages where it is large; and its end.
void *ck_map(size_t bytes);
void ck_unmap(void *memory, size_t bytes);
// Lets go of the whole pages in part of a mapped file; they are read again if they are touched.
void ck_release_pages(const void *memory, size_t bytes);
// Scratch memory of the calling thread, 64-byte aligned; valid until the thread's next call.
void *ck_scratch(size_t bytes);

// Runs body over 0..<count in chunks of `grain`, on the pool's threads and the caller.
typedef void (*ck_body)(void *context, long begin, long end);
void ck_pool_run(long count, long grain, ck_body body, void *context);
// Threads that take part in a loop, the caller included: 1 until they are configured.
long ck_pool_threads(void);
void ck_pool_configure(long threads);
// Until it is called with NULL: loops of this thread run on it alone, chunk by chunk as `threads`
// threads would cut them, and `record` hears each chunk's CPU time; `begin` is 0 for a loop's first.
typedef void (*ck_chunk_record)(void *context, long begin, double seconds);
void ck_pool_record(long threads, ck_chunk_record _Nullable record, void *_Nullable context);

// SHA-256 of whole 64-byte blocks: state is updated in place. `portable` forces the plain twin.
void ck_sha256_blocks(uint32_t *state, const uint8_t *bytes, long blocks, bool portable);

#pragma clang assume_nonnull end
