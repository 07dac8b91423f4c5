import Basics

/// The standard normal distribution.
enum Normal {
    /// P(Z <= z), to about 1e-14 of itself for z down to -10.
    ///
    /// With the density φ and x = |z|, near the mean a series, in the tail a continued fraction:
    ///
    ///     1/2 - P(Z <= -x) = φ(x) (x + x³/3 + x⁵/(3·5) + ...)
    ///     P(Z <= -x) = φ(x) / (x + 1/(x + 2/(x + 3/(x + ...))))
    ///
    /// Source: Abramowitz & Stegun 1964, 26.2.11 and 26.2.14.
    static func cumulative(_ z: Double) -> Double {
        if z > 0 { return 1 - cumulative(-z) }
        let density = Elementary.exp(-z * z / 2) / (2 * Double.pi).squareRoot()
        if z < -2 {
            return density / (1...120).reversed().reduce(-z) { -z + Double($1) / $0 }
        }
        var (term, sum) = (-z, -z)
        for odd in stride(from: 3.0, to: 80, by: 2) {
            term *= z * z / odd
            sum += term
        }
        return 0.5 - density * sum
    }

    /// The z with P(Z <= z) = p, for p in (0, 1), to about 1e-14.
    ///
    /// Bisection on `cumulative`, from the side where it keeps its digits.
    static func quantile(_ p: Double) -> Double {
        precondition(p > 0 && p < 1, "Normal.quantile: \(p) is not in (0, 1)")
        if p > 0.5 { return -quantile(1 - p) }
        return bisect(from: -40, to: 0) { cumulative($0) < p }
    }
}

/// The distribution of values that were found.
public enum Empirical {
    /// The `p`-quantile of sorted values, linear between neighbours (definition 7 of Hyndman &
    /// Fan 1996, the one of R and NumPy).
    ///
    /// - Precondition: There are values, and p lies in [0, 1].
    public static func quantile(_ p: Double, sorted values: [Double]) -> Double {
        let place = p * Double(values.count - 1)
        let low = Int(place)
        let high = min(low + 1, values.count - 1)
        return values[low] + (place - Double(low)) * (values[high] - values[low])
    }
}

/// The beta distribution, as far as exact binomial intervals need it.
enum Beta {
    /// P(X <= x) for X ~ Beta(a, b): the regularised incomplete beta function I_x(a, b).
    ///
    /// Continued fraction of Lentz's kind (DLMF 8.17.22), on the side of the mean where it
    /// converges fast.
    static func cumulative(_ x: Double, _ a: Double, _ b: Double) -> Double {
        if x <= 0 { return 0 }
        if x >= 1 { return 1 }
        if x > (a + 1) / (a + b + 2) { return 1 - cumulative(1 - x, b, a) }
        let logFront =
            logGamma(a + b) - logGamma(a) - logGamma(b)
            + a * Elementary.log(x) + b * Elementary.log1p(-x)
        return Elementary.exp(logFront) / a / fraction(x, a, b)
    }

    /// The x with P(X <= x) = p.
    static func quantile(_ p: Double, _ a: Double, _ b: Double) -> Double {
        bisect(from: 0, to: 1) { cumulative($0, a, b) < p }
    }

    /// 1 + d1/(1 + d2/(1 + ...)) of DLMF 8.17.22, by Lentz's method.
    private static func fraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
        let tiny = 1e-300
        var (c, d, result) = (1.0, 0.0, 1.0)
        for step in 1...10_000 {
            let m = Double(step / 2)
            let term =
                step % 2 == 0
                ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
                : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            d = 1 + term * d
            d = 1 / (abs(d) < tiny ? tiny : d)
            c = 1 + term / c
            if abs(c) < tiny { c = tiny }
            result *= c * d
            if abs(c * d - 1) < 1e-15 { break }
        }
        return result
    }

    /// ln Γ(x) for x > 0, by Stirling's series above 10 and the recurrence below.
    ///
    /// The C library's `lgamma` writes a global sign, which two threads must not share.
    /// Source: DLMF 5.11.1.
    static func logGamma(_ x: Double) -> Double {
        precondition(x > 0, "logGamma: \(x) is not above 0")
        var (shift, z) = (0.0, x)
        while z < 10 {
            shift += Elementary.log(z)
            z += 1
        }
        // B_2j / (2j (2j - 1)) for j from 1.
        let divisors: [Double] = [12, -360, 1260, -1680, 1188, -360_360.0 / 691, 156]
        var series = 0.0
        for divisor in divisors.reversed() { series = series / (z * z) + 1 / divisor }
        let logRoot = 0.5 * Elementary.log(2 * Double.pi)
        return (z - 0.5) * Elementary.log(z) - z + logRoot + series / z - shift
    }
}

/// Student's t distribution, for means of few values.
///
/// T² / (ν + T²) follows Beta(1/2, ν/2) (DLMF 8.17.20), so all is said in terms of `Beta`.
enum StudentT {
    /// P(|T| >= |t|).
    static func twoSidedP(_ t: Double, degreesOfFreedom: Int) -> Double {
        let nu = Double(degreesOfFreedom)
        return Beta.cumulative(nu / (nu + t * t), nu / 2, 0.5)
    }

    /// The t with P(T <= t) = p, for p in (0, 1).
    static func quantile(_ p: Double, degreesOfFreedom: Int) -> Double {
        precondition(p > 0 && p < 1, "StudentT.quantile: \(p) is not in (0, 1)")
        if p < 0.5 { return -quantile(1 - p, degreesOfFreedom: degreesOfFreedom) }
        let nu = Double(degreesOfFreedom)
        let x = Beta.quantile(2 * (1 - p), nu / 2, 0.5)
        return (nu * (1 - x) / x).squareRoot()
    }
}

/// The place where `isBelow` turns from true to false, to the last bit.
private func bisect(from low: Double, to high: Double, isBelow: (Double) -> Bool) -> Double {
    var (low, high) = (low, high)
    while true {
        let middle = low + (high - low) / 2
        if middle <= low || middle >= high { return middle }
        if isBelow(middle) { low = middle } else { high = middle }
    }
}
