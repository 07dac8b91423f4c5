/// Values of sums, products, and of operators that are not worked out.
extension Evaluator {
    /// Most terms of a sum or product that is worked out.
    private static let mostTerms = 512

    /// The value of a sum or product with whole bounds; any other operator takes a value that depends
    /// on its name and on the values of its parts alone.
    func opaque(_ name: String, _ parts: [Expression]) -> Number? {
        if name == "sum" || name == "prod", parts.count == 4, let value = series(name, parts) {
            return value
        }
        if name == Piecewise.name { return piecewise(parts) }
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func mix(_ value: UInt64) { hash = Self.mixed(hash ^ value) &+ 0x9e37_79b9_7f4a_7c15 }
        for byte in name.utf8 { mix(UInt64(byte)) }
        for part in parts {
            guard let value = fingerprint(part) else { return nil }
            mix(value)
        }
        return .exact(Rational(Natural(1 + hash % 9973), over: Natural(1009)))
    }

    /// A number that equal expressions share: of the value where there is one, else of the parts.
    private func fingerprint(_ part: Expression) -> UInt64? {
        if let value = value(part)?.approximation {
            // Ten significant digits, so that rounding does not tell equal values apart.
            guard value.value != 0 else { return 0 }
            let digits = "\(Float(value.value))"
            return digits.utf8.reduce(7) { Self.mixed($0 ^ UInt64($1)) }
        }
        let children = part.children
        guard !children.isEmpty, budget.spend(1) else { return nil }
        var hash: UInt64 = 11
        if case .relation(let sign, _, _) = part {
            for byte in sign.utf8 { hash = Self.mixed(hash ^ UInt64(byte)) }
        }
        for child in children {
            guard let value = fingerprint(child) else { return nil }
            hash = Self.mixed(hash ^ value) &+ 1
        }
        return hash
    }

    // MARK: - Sums and products

    private func series(_ name: String, _ parts: [Expression]) -> Number? {
        guard case .symbol(let variable) = parts[0], case .exact(let low)? = value(parts[1]),
            let first = low.integer
        else { return nil }
        let combine = name == "sum" ? add : multiply
        var result = Number.exact(name == "sum" ? .zero : .one)
        if parts[2] == .symbol("\\infty") {
            return name == "sum" ? infiniteSum(of: parts[3], variable, from: first) : nil
        }
        guard case .exact(let high)? = value(parts[2]), let last = high.integer,
            last - first < Self.mostTerms, last >= first - 1
        else { return nil }
        var inner = self
        for index in stride(from: first, through: last, by: 1) {
            inner.bindings[variable] = .exact(Rational(index))
            guard budget.spend(4), let term = inner.value(parts[3]),
                let next = combine(result, term)
            else { return nil }
            result = next
        }
        return result
    }

    /// A sum whose terms shrink at least like a geometric series; nil for any other.
    private func infiniteSum(of body: Expression, _ variable: String, from first: Int) -> Number? {
        var inner = self
        var (sum, last) = (0.0, Double.infinity)
        for index in stride(from: first, through: first + Self.mostTerms, by: 1) {
            inner.bindings[variable] = .exact(Rational(index))
            guard budget.spend(4), let term = inner.value(body)?.approximation else { return nil }
            sum += term.value
            guard index < first + 8 || abs(term.value) <= 0.95 * last else { return nil }
            last = abs(term.value)
            if last <= 1e-17 * abs(sum) || last < 1e-300 {
                return Approximation(sum, error: 1e-12 * max(abs(sum), 1e-3)).map {
                    .approximate($0)
                }
            }
        }
        return nil
    }

    // MARK: - Functions of several numbers

    /// The greatest common divisor, least common multiple, remainder, largest or smallest.
    func chosen(_ function: Expression.Function, _ arguments: [Number]) -> Number? {
        switch function {
        case .max, .min:
            var best = arguments[0]
            for next in arguments.dropFirst() {
                guard let isLess = isLess(next, best) else { return nil }
                if isLess == (function == .min) { best = next }
            }
            return best
        case .gcd, .lcm, .mod:
            var numbers: [Int] = []
            for argument in arguments {
                guard case .exact(let value) = argument, let whole = value.integer,
                    abs(whole) < 1 << 31
                else { return nil }
                numbers.append(whole)
            }
            if function == .mod {
                guard numbers.count == 2, numbers[1] > 0 else { return nil }
                let rest = numbers[0] % numbers[1]
                return .exact(Rational(rest < 0 ? rest + numbers[1] : rest))
            }
            var result = abs(numbers[0])
            for next in numbers.dropFirst().map(abs) {
                let divisor = Self.gcd(result, next)
                guard function == .lcm else {
                    result = divisor
                    continue
                }
                let (product, overflow) = (result / Swift.max(1, divisor))
                    .multipliedReportingOverflow(by: next)
                guard !overflow, product < 1 << 40 else { return nil }
                result = product
            }
            return .exact(Rational(result))
        default: return nil
        }
    }

    private static func gcd(_ a: Int, _ b: Int) -> Int {
        var (x, y) = (a, b)
        while y != 0 { (x, y) = (y, x % y) }
        return x
    }

    /// Whether one value is below another, as far as can be told.
    func isLess(_ a: Number, _ b: Number) -> Bool? {
        if case .exact(let x) = a, case .exact(let y) = b { return x < y }
        guard let x = a.approximation, let y = b.approximation else { return nil }
        return x.value < y.value
    }
}
