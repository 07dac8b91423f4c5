/// Sets of real numbers, by intervals or by inequalities.
extension Comparison {
    /// Whether two answers describe the same set of numbers, one of them at least by inequalities or as
    /// a union: `1 < x \le 2` and `(1, 2]`, `x \ne 5` and `(-\infty, 5) \cup (5, \infty)`.
    func sameRegion(_ a: Expression, _ b: Expression) -> Bool {
        let (left, right) = (region(a), region(b))
        guard left != nil || right != nil || a.isUnion || b.isUnion else { return false }
        if let x = left?.variable, let y = right?.variable, x != y { return false }
        let (first, second) = (left?.parts ?? parts(of: a), right?.parts ?? parts(of: b))
        return equal(
            (.union, merged(first) ?? first),
            (.union, merged(second) ?? second)
        )
    }

    private func parts(of a: Expression) -> [Expression] {
        switch a {
        case .union(let parts): parts
        case .symbol("\\reals"): [Self.interval("(", nil, nil, ")")]
        default: [a]
        }
    }

    /// The intervals that inequalities in one variable describe; several are alternatives.
    private func region(_ a: Expression) -> (variable: Expression?, parts: [Expression])? {
        switch a {
        case .relation("∈", let name, let set) where isName(name):
            return (variable(name), region(set)?.parts ?? parts(of: set))
        case .relation("∖", let all, let removed): return difference(all, removed).map { (nil, $0) }
        case .relation("≠", let name, let value) where isName(name):
            return (variable(name), without(value))
        case .relation(let sign, let left, .relation(let next, let middle, let right))
        where isOrder(sign) && isOrder(next) && isName(middle):
            let open: Character = sign == "<" ? "(" : "["
            let close: Character = next == "<" ? ")" : "]"
            return (variable(middle), [Self.interval(open, left, right, close)])
        case .relation(let sign, let left, let right) where isOrder(sign):
            return halfLine(sign, left, right) ?? distance(sign, left, right)
                ?? polynomial(sign, left, right)
        case .list(let items) where items.allSatisfy(\.isInequality),
            .group("∧", let items, _) where items.allSatisfy(\.isInequality):
            // "x \\ne 1, x \\ne 4" leaves out both.
            let points = items.flatMap { item -> [Expression] in
                guard case .relation(_, _, let value) = item else { return [] }
                return elements(value)?.items ?? [value]
            }
            guard case .relation(_, let name, _)? = items.first, isName(name),
                items.allSatisfy({ if case .relation(_, name, _) = $0 { true } else { false } })
            else { return nil }
            return (variable(name), without(.list(points)))
        case .list(let items), .group("∧", let items, _), .group("∨", let items, _):
            let regions = items.compactMap(region)
            guard regions.count == items.count, let first = regions.first,
                regions.allSatisfy({ $0.variable == first.variable })
            else { return nil }
            let all = regions.flatMap(\.parts)
            switch a {
            case .list: return (first.variable, overlap(all) ?? all)
            case .group("∧", _, _): return overlap(all).map { (first.variable, $0) }
            default: return (first.variable, all)
            }
        default: return nil
        }
    }

    /// The variable of an inequality; nil for the number that words such as "at least 7" bound.
    private func variable(_ name: Expression) -> Expression? { name == .anything ? nil : name }

    private func isOrder(_ sign: String) -> Bool { sign == "<" || sign == "≤" }

    private func halfLine(
        _ sign: String,
        _ left: Expression,
        _ right: Expression
    ) -> (variable: Expression?, parts: [Expression])? {
        if isName(left), !isName(right) {
            return (variable(left), [Self.interval("(", nil, right, sign == "<" ? ")" : "]")])
        }
        if isName(right), !isName(left) {
            return (variable(right), [Self.interval(sign == "<" ? "(" : "[", left, nil, ")")])
        }
        return nil
    }

    /// `|x - 1| < 3` and `|x| > 2`: what stands between the bars has one variable and is linear.
    private func distance(
        _ sign: String,
        _ left: Expression,
        _ right: Expression
    ) -> (variable: Expression?, parts: [Expression])? {
        let isInside: Bool
        let (inner, radius): (Expression, Expression)
        if case .function(.abs, let list) = left, list.count == 1 {
            (inner, radius, isInside) = (list[0], right, true)
        } else if case .function(.abs, let list) = right, list.count == 1 {
            (inner, radius, isInside) = (list[0], left, false)
        } else {
            return nil
        }
        guard inner.symbols.count == 1, let name = inner.symbols.first, radius.symbols.isEmpty,
            let size = number(radius)?.approximation?.value, size > 0,
            let start = number(inner.substituting([name: .integer(0)])),
            let next = number(inner.substituting([name: .integer(1)])),
            let further = number(inner.substituting([name: .integer(3)])),
            case .exact(let c) = start, case .exact(let a) = next, case .exact(let b) = further,
            let slope = a.adding(c.negated, budget: budget), !slope.isZero,
            let three = slope.multiplied(by: Rational(3), budget: budget)?.adding(
                c,
                budget: budget
            ), three == b,
            let inverse = slope.inverse
        else { return nil }
        func end(_ radius: Expression) -> Expression {
            .product([
                .sum([radius, .number(c.negated, places: nil)]), .number(inverse, places: nil),
            ])
        }
        let ends =
            slope.isNegative
            ? [end(radius), end(radius.negated)] : [end(radius.negated), end(radius)]
        let isOpen = sign == "<"
        let variable = Expression.symbol(name)
        if isInside {
            return (
                variable, [Self.interval(isOpen ? "(" : "[", ends[0], ends[1], isOpen ? ")" : "]")]
            )
        }
        return (
            variable,
            [
                Self.interval("(", nil, ends[0], isOpen ? ")" : "]"),
                Self.interval(isOpen ? "(" : "[", ends[1], nil, ")"),
            ]
        )
    }

    /// `x^2 \le 16`: where the polynomial that is to be positive is, between its roots.
    private func polynomial(
        _ sign: String,
        _ left: Expression,
        _ right: Expression
    ) -> (variable: Expression?, parts: [Expression])? {
        let difference = Expression.sum([right, left.negated])
        guard difference.symbols.count == 1, let name = difference.symbols.first, name != "\\infty",
            let polynomial = Polynomial(difference, in: name, budget: budget),
            polynomial.degree > 1,
            let roots = polynomial.roots(), !roots.isEmpty
        else { return nil }
        let places = roots.compactMap { number($0)?.approximation?.value }
        guard places.count == roots.count else { return nil }
        let sorted = zip(roots, places).sorted { $0.1 < $1.1 }
        func isPositive(_ place: Double) -> Bool {
            polynomial.coefficients.reversed().reduce(0) { $0 * place + $1.double } > 0
        }
        let isOpen = sign == "<"
        var parts: [Expression] = []
        for index in 0...sorted.count {
            let low = index > 0 ? sorted[index - 1] : nil
            let high = index < sorted.count ? sorted[index] : nil
            let middle = ((low?.1 ?? (high?.1 ?? 0) - 2) + (high?.1 ?? (low?.1 ?? 0) + 2)) / 2
            if isPositive(middle) {
                parts.append(
                    Self.interval(
                        low == nil || isOpen ? "(" : "[",
                        low?.0,
                        high?.0,
                        high == nil || isOpen ? ")" : "]"
                    )
                )
            }
            if !isOpen, let high { parts.append(Self.interval("[", high.0, high.0, "]")) }
        }
        return parts.isEmpty ? nil : (.symbol(name), parts)
    }

    private func number(_ a: Expression) -> Number? { Evaluator(budget: budget, probe: 0).value(a) }

    // MARK: - Differences

    /// All numbers but the given ones.
    private func without(_ points: Expression) -> [Expression] {
        var values: [(Expression, Double)] = []
        for point in elements(points)?.items ?? [points] {
            guard let value = number(point)?.approximation else { return [] }
            values.append((point, value.value))
        }
        let sorted: [Expression?] = values.sorted { $0.1 < $1.1 }.map(\.0)
        return zip([nil] + sorted, sorted + [nil]).map { Self.interval("(", $0, $1, ")") }
    }

    /// All real numbers but a set of points or some intervals; nil for other differences.
    private func difference(_ all: Expression, _ removed: Expression) -> [Expression]? {
        guard parts(of: all) == [Self.interval("(", nil, nil, ")")] else { return nil }
        if case .group("{", _, _) = removed { return without(removed) }
        guard let holes = merged(parts(of: removed)), !holes.isEmpty else { return nil }
        var result: [Expression] = []
        var (open, low): (Character, Expression?) = ("(", nil)
        for hole in holes {
            guard case .group(let left, let ends, let right) = hole else { return nil }
            if !ends[0].isInfinite {
                result.append(Self.interval(open, low, ends[0], left == "(" ? "]" : ")"))
            }
            (open, low) = (right == ")" ? "[" : "(", ends[1])
        }
        if let low, !low.isInfinite { result.append(Self.interval(open, low, nil, ")")) }
        return result
    }

    /// What two half-lines that face each other have in common: "x > 1 and x < 3"; nil for others,
    /// which are alternatives.
    private func overlap(_ parts: [Expression]) -> [Expression]? {
        guard parts.count == 2, let spans = spans(parts),
            let left = spans.first(where: { $0.low == -.infinity }),
            let right = spans.first(where: { $0.high == .infinity }), left.high < .infinity,
            right.low > -.infinity, right.low <= left.high,
            case .group(let open, let from, _) = right.part,
            case .group(_, let to, let close) = left.part
        else { return nil }
        return [Self.interval(open, from[0], to[1], close)]
    }

    // MARK: - Intervals

    private typealias Span = (low: Double, high: Double, part: Expression)

    /// Intervals with the values of their ends; nil where a part is none or an end has no value.
    private func spans(_ parts: [Expression]) -> [Span]? {
        guard parts.count <= WorkBudget.maximumUnorderedElements else { return nil }
        var result: [Span] = []
        for part in parts {
            guard case .group(let open, let ends, let close) = part, ends.count == 2,
                "([".contains(open), ")]".contains(close), let low = end(ends[0]),
                let high = end(ends[1]),
                low < high || low == high && open == "[" && close == "]"
            else { return nil }
            result.append((low, high, part))
        }
        return result
    }

    private func end(_ a: Expression) -> Double? {
        if a == .symbol("\\infty") { return .infinity }
        if a.isInfinite { return -.infinity }
        guard a.symbols.isEmpty else { return nil }
        return number(a)?.approximation?.value
    }

    /// The intervals in order, those that touch or overlap as one; nil where they cannot be ordered.
    private func merged(_ parts: [Expression]) -> [Expression]? {
        guard let spans = spans(parts)?.sorted(by: { $0.low < $1.low }), var last = spans.first
        else { return nil }
        var result: [Expression] = []
        for next in spans.dropFirst() {
            guard case .group(let open, let ends, let close) = last.part,
                case .group(let nextOpen, let nextEnds, let nextClose) = next.part
            else { return nil }
            let touches =
                next.low < last.high || next.low == last.high && (close == "]" || nextOpen == "[")
            if !touches {
                result.append(last.part)
                last = next
            } else if next.high > last.high || next.high == last.high && nextClose == "]" {
                let first: Character = next.low == last.low && nextOpen == "[" ? "[" : open
                last = (
                    last.low, next.high,
                    .group(open: first, [ends[0], nextEnds[1]], close: nextClose)
                )
            }
        }
        return result + [last.part]
    }

    /// An interval; an end that is `nil` is infinite.
    private static func interval(
        _ open: Character,
        _ low: Expression?,
        _ high: Expression?,
        _ close: Character
    ) -> Expression {
        let infinity = Expression.symbol("\\infty")
        return .group(open: open, [low ?? infinity.negated, high ?? infinity], close: close)
    }
}

extension Expression {
    fileprivate var isInequality: Bool {
        if case .relation("≠", _, _) = self { true } else { false }
    }
    fileprivate var isUnion: Bool { if case .union = self { true } else { false } }
    /// Whether this is infinity of either sign.
    fileprivate var isInfinite: Bool {
        self == .symbol("\\infty") || self == Expression.symbol("\\infty").negated
    }
}
