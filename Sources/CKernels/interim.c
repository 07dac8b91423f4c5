#include "ckernels.h"
#define REAL float
#include "Template/reference.h"
#include "Template/table.h"
static const ck_kernels table = CK_TABLE("portable");
const ck_kernels *ck_kernels_float(void) { return &table; }
const ck_kernels *ck_kernels_named(const char *name) { return strcmp(name,"portable")?NULL:&table; }
