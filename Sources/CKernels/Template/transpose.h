// Rows become columns: what products and attention copy their operands by.

// [rows, columns] becomes [columns, rows], with `gap` between the rows of the result: four by four. The
// next four rows are asked for meanwhile.
K void transpose(long rows, long columns, const float *x, long stride, float *to, long gap) {
    long r = 0;
    for (; r + 4 <= rows; r += 4) {
        const float *row = x + r * stride;
        long k = 0;
        for (; k + 4 <= columns; k += 4) {
            f4 a, b, c, d;
            if (k % 16 == 0)
                UNROLL for (int i = 4; i < 8; i++) __builtin_prefetch(row + i * stride + k);
            memcpy(&a, row + k, sizeof a);
            memcpy(&b, row + stride + k, sizeof b);
            memcpy(&c, row + 2 * stride + k, sizeof c);
            memcpy(&d, row + 3 * stride + k, sizeof d);
            f4 ab0 = __builtin_shufflevector(a, b, 0, 4, 1, 5);
            f4 ab1 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
            f4 cd0 = __builtin_shufflevector(c, d, 0, 4, 1, 5);
            f4 cd1 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
            f4 out[4] = {__builtin_shufflevector(ab0, cd0, 0, 1, 4, 5),
                         __builtin_shufflevector(ab0, cd0, 2, 3, 6, 7),
                         __builtin_shufflevector(ab1, cd1, 0, 1, 4, 5),
                         __builtin_shufflevector(ab1, cd1, 2, 3, 6, 7)};
            UNROLL for (long i = 0; i < 4; i++) memcpy(to + (k + i) * gap + r, out + i, sizeof a);
        }
        for (; k < columns; k++)
            for (long i = 0; i < 4; i++) to[k * gap + r + i] = row[i * stride + k];
    }
    for (; r < rows; r++)
        for (long k = 0; k < columns; k++) to[k * gap + r] = x[r * stride + k];
}
