import Foundation

/// The probability that a chi-square variable exceeds `statistic`: Q(degrees/2, statistic/2).
///
/// The regularised incomplete gamma function, by its series below the mean and by Lentz's continued
/// fraction above it.
func chiSquareTail(_ statistic: Double, degrees: Int) -> Double {
    let (a, x) = (Double(degrees) / 2, statistic / 2)
    guard x > 0 else { return 1 }
    let scale = exp(a * log(x) - x - lgamma(a))
    if x < a + 1 {
        var (term, sum, n) = (1 / a, 1 / a, a)
        while term > sum * 1e-16 {
            n += 1
            term *= x / n
            sum += term
        }
        return 1 - scale * sum
    }
    var b = x + 1 - a
    var (c, d) = (1e300, 1 / b)
    var fraction = d
    for i in 1...10_000 {
        let an = -Double(i) * (Double(i) - a)
        b += 2
        d = 1 / (an * d + b)
        c = b + an / c
        fraction *= c * d
        if abs(c * d - 1) < 1e-15 { break }
    }
    return scale * fraction
}

/// The p-value of counts under probabilities; 0 if something impossible was seen.
func chiSquareP(counts: [Int], probabilities: [Double]) -> Double {
    let total = Double(counts.reduce(0, +))
    var (statistic, cells) = (0.0, 0)
    for (count, probability) in zip(counts, probabilities) {
        guard probability > 0 else {
            if count > 0 { return 0 }
            continue
        }
        let expected = probability * total
        statistic += (Double(count) - expected) * (Double(count) - expected) / expected
        cells += 1
    }
    return chiSquareTail(statistic, degrees: cells - 1)
}
