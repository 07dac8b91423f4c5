// What sampling wants to know of a row of logits, in one pass through memory.

// Sum of e^((x - middle) factor) over a block. Two sums run side by side, as in `exponentials`.
K float block_sum(long n, const float *x, vf middle, vf factor) {
    vf part[2] = {splat(0), splat(0)};
    long i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES)
        UNROLL for (int j = 0; j < 2; j++)
            part[j] += exp_((load(x + i + j * LANES) - middle) * factor);
    for (; i < n; i += LANES)
        part[0] += first_lanes(exp_((get(x + i, n - i) - middle) * factor), n - i, 0);
    return sum_lanes(part[0] + part[1]);
}

// Each block is summed against its own maximum while it is in the first cache; the sums are brought
// to the common maximum at the end.
static double summarize_logits(long n, const void *px, double factor, void *pgreatest,
                               double *sums) {
    const float *x = px;
    float *maxima = pgreatest, top = -INFINITY;
    long blocks = (n + CK_LOGIT_BLOCK - 1) / CK_LOGIT_BLOCK;
    float *parts = ck_scratch(2 * blocks * sizeof(float));
    for (long b = 0; b < blocks; b++) {
        const float *block = x + b * CK_LOGIT_BLOCK;
        long left = n - b * CK_LOGIT_BLOCK, count = left < CK_LOGIT_BLOCK ? left : CK_LOGIT_BLOCK;
        float most = greatest(count, block);
        maxima[b] = most;
        if (most > top) top = most;
        // A block of -inf adds nothing, and one of NaN must show.
        vf middle = splat(most > -INFINITY ? most : 0);
        parts[b] = block_sum(count, block, middle, splat(1));
        parts[blocks + b] =
            factor == 1 ? parts[b] : block_sum(count, block, middle, splat((float)factor));
    }
    vf middle = splat(top > -INFINITY ? top : 0);
    for (int s = 0; s < 2; s++) {
        vf by = splat(s ? (float)factor : 1);
        sums[s] = 0;
        EACH_VECTOR(b, left, blocks) {
            vf share = exp_((get(maxima + b, left) - middle) * by);
            sums[s] += sum_lanes(first_lanes(share * get(parts + s * blocks + b, left), left, 0));
        }
    }
    return top;
}
