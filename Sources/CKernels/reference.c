// The plain kernels in double.
#include "ckernels.h"
#define REAL double
#include "Template/reference.h"
#include "Template/table.h"

static const ck_kernels table = CK_TABLE("reference", NULL, NULL, NULL);

const ck_kernels *ck_kernels_double(void) { return &table; }
