// Float kernels for the instructions that every CPU of the architecture has (SSE2, NEON).
#include "Template/common.h"

#define WIDTH 4
#define TILE_ROWS 6
#if defined(__aarch64__)
#define FUSED
#define HALVES
#endif
#include "Template/float.h"

static const ck_kernels table = CK_TABLE("portable", &ck_packed_portable, product, product_bfloat16);

const ck_kernels *ck_kernels_portable(void) { return &table; }
