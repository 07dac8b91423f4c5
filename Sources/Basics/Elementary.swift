import CKernels

/// Elementary functions whose bits depend on the argument alone: not on the C library, the CPU or its
/// instruction set, so that whatever is computed with them is the same on every machine.
///
/// All take and give C's values for zeros, infinities, subnormal numbers and NaN. Errors are the
/// greatest found against quadruple precision, in units of the last place; the implementation, in
/// `Sources/CKernels/elementary.c`, uses nothing but IEEE 754's sums, products and quotients.
/// `make lint` refuses calls of the C library's functions of these names.
public enum Elementary {
    /// e^x, within 0.53 units; 0.76 where the result is subnormal.
    public static func exp(_ x: Double) -> Double { ck_exp(x) }

    /// The natural logarithm, within 0.51 units; NaN below 0.
    public static func log(_ x: Double) -> Double { ck_log(x) }

    /// ln(1 + x), within 0.67 units; NaN below -1.
    public static func log1p(_ x: Double) -> Double { ck_log1p(x) }

    /// The logarithm to base 10, within 0.51 units, and exact for the powers of ten; NaN below 0.
    public static func log10(_ x: Double) -> Double { ck_log10(x) }

    /// The sine of an angle in radians, however large, within 0.82 units; NaN at infinity.
    public static func sin(_ x: Double) -> Double { ck_sin(x) }

    /// The cosine of an angle in radians, however large, within 0.82 units; NaN at infinity.
    public static func cos(_ x: Double) -> Double { ck_cos(x) }

    /// base^exponent, within 0.68 units; 0.76 where the result is subnormal.
    ///
    /// NaN for a base below 0, whatever the exponent.
    public static func pow(_ base: Double, _ exponent: Double) -> Double { ck_pow(base, exponent) }
}
