// The table of a twin: all its functions have the names of the fields.
#define CK_TABLE(NAME, PACKED, PRODUCT, BFLOAT16)                                                  \
    {                                                                                              \
        .name = NAME, .add = add, .multiply = multiply,                                            \
        .multiply_accumulate = multiply_accumulate, .accumulate = accumulate, .scale = scale,      \
        .activate = activate, .activate_backward = activate_backward, .swiglu = swiglu,            \
        .swiglu_backward = swiglu_backward, .column_sums = column_sums, .rms_norm = rms_norm,      \
        .rms_norm_backward = rms_norm_backward, .softmax = softmax,                                \
        .softmax_backward = softmax_backward, .rotate = rotate, .cross_entropy = cross_entropy,    \
        .cross_entropy_backward = cross_entropy_backward, .summarize_logits = summarize_logits,    \
        .sum = sum, .sum_of_squares = sum_of_squares, .adamw = adamw,                              \
        .round_bfloat16 = round_bfloat16, .dequantize = dequantize, .linear = linear,              \
        .product = PRODUCT, .product_bfloat16 = BFLOAT16,                                          \
        .attention = attention, .attention_backward_start = attention_backward_start,              \
        .attention_backward = attention_backward,                                                  \
        .attention_backward_end = attention_backward_end, .packed = PACKED,                        \
    }
