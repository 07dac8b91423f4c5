// All float kernels of one instruction set. The including file defines what vector.h wants,
// TILE_ROWS for products, HALVES where the set converts float16, and includes common.h first.
#include "vector.h"
#include "elementwise.h"
#include "rows.h"
#include "bytes.h"
#include "sampling.h"
#include "dequantize.h"
#include "linear.h"
#include "transpose.h"
#include "products.h"
#include "attention.h"
#include "table.h"
