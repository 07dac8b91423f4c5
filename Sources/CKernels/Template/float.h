// All float kernels of one instruction set. The including file defines LANES, FUSED where the set
// has fused multiply-add, HALVES where it converts float16, and includes common.h first.
#include "vector.h"
#include "elementwise.h"
#include "rows.h"
#include "bytes.h"
#include "sampling.h"
#include "dequantize.h"
#include "linear.h"
#include "attention.h"
#include "table.h"
