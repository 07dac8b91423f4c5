/// Lists, sets, points, intervals and matrices.
extension Comparison {
    enum Kind: Equatable {
        case list, set, union, named, vector, matrix(columns: Int)
        case bracket(Character, Character)

        var isOrdered: Bool {
            switch self {
            case .list, .set, .union: false
            case .matrix, .bracket, .named, .vector: true
            }
        }
    }

    /// The elements of an expression that has some; a set has each once.
    func elements(_ a: Expression) -> (kind: Kind, items: [Expression])? {
        switch a {
        case .list(let items), .group("(", let items, ")"):
            if AnswerLists.named(items) != nil { return (.named, items) }
            if case .group = a { return (.bracket("(", ")"), items) }
            // Points are solutions, and a solution named twice is one solution.
            let arePoints = items.allSatisfy { if case .group = $0 { true } else { false } }
            return (.list, arePoints ? distinct(items) : items)
        case .union(let items): return (.union, items)
        case .group("{", let items, _): return (.set, distinct(items))
        case .group(let open, let items, let close): return (.bracket(open, close), items)
        case .symbol("\\reals"):
            let infinity = Expression.symbol("\\infty")
            return (.bracket("(", ")"), [infinity.negated, infinity])
        default:
            if let vector = UnitVectors.components(of: a, plain: false) { return (.vector, vector) }
            if let point = scaledPoint(a) { return (.bracket("(", ")"), point) }
            guard let rows = matrix(a) else { return nil }
            return (.matrix(columns: rows.first?.count ?? 0), rows.flatMap(\.self))
        }
    }

    func equal(
        _ a: (kind: Kind, items: [Expression]),
        _ b: (kind: Kind, items: [Expression])
    ) -> Bool {
        if a.kind == .union, a.items.count == 1, let only = elements(a.items[0]) {
            return equal(only, b)
        }
        if b.kind == .union, b.items.count == 1, let only = elements(b.items[0]) {
            return equal(a, only)
        }
        guard a.items.count == b.items.count else { return false }
        if let left = AnswerLists.named(a.items), a.kind == .named {
            if b.kind == .named, let right = AnswerLists.named(b.items) {
                return left.names == right.names && inOrder(left.values, right.values)
            }
            guard [.list, .bracket("(", ")")].contains(b.kind) else { return false }
            return inOrder(inOrderOfPoint(left, a.items), b.items)
        }
        if b.kind == .named { return equal(b, a) }
        if a.kind == b.kind {
            if a.kind == .bracket(":", ":") { return areProportional(a.items, b.items) }
            return a.kind.isOrdered
                ? inOrder(a.items, b.items)
                : withLabels(a.items, b.items).amongElements(of: a.kind).inAnyOrder(
                    a.items,
                    b.items
                )
        }
        switch (a.kind, b.kind) {
        case (.list, .set), (.set, .list): return inAnyOrder(a.items, b.items)
        // Brackets may be left out around a point, and a column or row is a point.
        case (.list, .bracket(let open, let close)), (.bracket(let open, let close), .list):
            // Two numbers in square brackets are an interval.
            guard open == "(" && close == ")" || a.items.count > 2 else { return false }
            return inOrder(a.items, b.items)
        case (.matrix(let columns), .bracket("(", ")")), (.bracket("(", ")"), .matrix(let columns)):
            return (columns == 1 || columns == a.items.count) && inOrder(a.items, b.items)
        case (.matrix(let columns), .bracket("[", "]")), (.bracket("[", "]"), .matrix(let columns)):
            // Two numbers in square brackets are an interval.
            return a.items.count > 2 && (columns == 1 || columns == a.items.count)
                && inOrder(a.items, b.items)
        default: return false
        }
    }

    typealias Elements = (kind: Kind, items: [Expression])

    /// Two and three components of vectors, the third of the shorter being 0 where it is a sum of unit
    /// vectors.
    func aligned(_ a: Elements?, _ b: Elements?) -> (Elements?, Elements?) {
        guard let left = a, let right = b, left.kind == .vector || right.kind == .vector else {
            return (a, b)
        }
        let count = max(left.items.count, right.items.count)
        func filled(_ elements: Elements) -> Elements {
            guard elements.kind == .vector else { return elements }
            let missing = max(0, count - elements.items.count)
            return (
                .bracket("(", ")"), elements.items + Array(repeating: .integer(0), count: missing)
            )
        }
        return (filled(left), filled(right))
    }

    func single(_ items: [Expression], equals other: Expression) -> Bool {
        items.count == 1 && equal(items[0], other)
    }

    /// The values of named variables as a point has them: by name where the names follow each other in
    /// the alphabet, as x and y do, else as written.
    private func inOrderOfPoint(
        _ sorted: (names: [String], values: [Expression]),
        _ written: [Expression]
    ) -> [Expression] {
        let letters = sorted.names.compactMap { $0.utf8.count == 1 ? $0.utf8.first : nil }
        let follow = zip(letters, letters.dropFirst()).allSatisfy { $1 == $0 + 1 }
        if letters.count == sorted.names.count, follow { return sorted.values }
        return written.map { if case .relation(_, _, let value) = $0 { value } else { $0 } }
    }

    /// This comparison, with the names of things deciding where a list has several: "3 red, 2 blue".
    private func withLabels(_ a: [Expression], _ b: [Expression]) -> Comparison {
        func hasSeveral(_ items: [Expression]) -> Bool {
            let labels = items.compactMap { item -> Unit? in
                if case .measured(_, let unit) = item, unit.isLabel { unit } else { nil }
            }
            return labels.contains { $0 != labels[0] }
        }
        var copy = self
        copy.labelsDecide = labelsDecide || hasSeveral(a) || hasSeveral(b)
        return copy
    }

    /// Whether two ratios of several terms are the same: `1:2:3` and `2:4:6`.
    private func areProportional(_ a: [Expression], _ b: [Expression]) -> Bool {
        guard let first = a.first, let other = b.first, !sameValue(first, .integer(0)) else {
            return false
        }
        return zip(a, b).allSatisfy { sameValue(.product([$0, other]), .product([$1, first])) }
    }

    private func inOrder(_ a: [Expression], _ b: [Expression]) -> Bool {
        zip(a, b).allSatisfy { equal($0, $1) }
    }

    /// Whether the elements can be paired off.
    ///
    /// Each takes the first partner left, which is enough as long as equality among the
    /// elements of one answer is transitive.
    private func inAnyOrder(_ a: [Expression], _ b: [Expression]) -> Bool {
        guard a.count <= WorkBudget.maximumUnorderedElements else { return inOrder(a, b) }
        var rest = b
        for item in a {
            guard let match = rest.firstIndex(where: { equal(item, $0) }) else { return false }
            rest.remove(at: match)
        }
        return true
    }

    /// The elements, each once.
    private func distinct(_ items: [Expression]) -> [Expression] {
        guard items.count <= WorkBudget.maximumUnorderedElements else { return items }
        let strict = amongElements(of: .set)
        return items.reduce(into: []) { result, item in
            if !result.contains(where: { strict.equal($0, item) }) { result.append(item) }
        }
    }

    /// This comparison for the elements of something: of a set, `{1}` and 1 are two.
    private func amongElements(of kind: Kind) -> Comparison {
        var copy = self
        copy.setsAreStrict = setsAreStrict || kind == .set
        return copy
    }

    // MARK: - Matrices

    /// The coordinates of a point with numbers before it, or of a sum of such: `3(3, 4, 5)`,
    /// `(1, 2) + \frac{1}{2}(1, 3)`.
    private func scaledPoint(_ a: Expression) -> [Expression]? {
        if case .sum(let terms) = a {
            let points = terms.compactMap { term -> [Expression]? in
                if case .group("(", let items, ")") = term { items } else { scaledPoint(term) }
            }
            guard points.count == terms.count, let first = points.first,
                points.allSatisfy({ $0.count == first.count })
            else { return nil }
            return first.indices.map { place in .sum(points.map { $0[place] }) }
        }
        guard case .product(let factors) = a, factors.count > 1 else { return nil }
        var scalars: [Expression] = []
        var point: [Expression]?
        for factor in factors {
            if factor.symbols.isEmpty, !factor.isVector, scaledPoint(factor) == nil {
                scalars.append(factor)
                continue
            }
            guard point == nil else { return nil }
            if case .group("(", let items, ")") = factor {
                point = items
            } else {
                point = scaledPoint(factor)
            }
            guard point != nil else { return nil }
        }
        return point?.map { .product(scalars + [$0]) }
    }

    /// Most entries of a matrix that a sum or product of matrices may have.
    private static let mostEntries = 64

    /// The rows of a matrix, or of a sum or product of matrices and numbers, worked out.
    private func matrix(_ a: Expression) -> [[Expression]]? {
        switch a {
        case .matrix(let rows): return rows
        case .sum(let terms):
            let all = terms.compactMap(matrix)
            guard all.count == terms.count, let first = all.first, isSmall(first),
                all.allSatisfy({ $0.map(\.count) == first.map(\.count) })
            else { return nil }
            return first.indices.map { row in
                first[row].indices.map { column in .sum(all.map { $0[row][column] }) }
            }
        case .product(let factors):
            var scalars: [Expression] = []
            var result: [[Expression]]?
            for factor in factors {
                guard let next = matrix(factor) else {
                    scalars.append(factor)
                    continue
                }
                guard let left = result else {
                    result = next
                    continue
                }
                guard let product = product(left, next) else { return nil }
                result = product
            }
            guard let rows = result, isSmall(rows) else { return nil }
            return rows.map { $0.map { .product(scalars + [$0]) } }
        default: return nil
        }
    }

    private func isSmall(_ rows: [[Expression]]) -> Bool {
        rows.reduce(0) { $0 + $1.count } <= Self.mostEntries
    }

    private func product(_ a: [[Expression]], _ b: [[Expression]]) -> [[Expression]]? {
        guard isSmall(a), isSmall(b), let columns = b.first?.count,
            b.allSatisfy({ $0.count == columns }), a.allSatisfy({ $0.count == b.count }),
            budget.spend(a.count * columns * b.count)
        else { return nil }
        return a.map { row in
            (0..<columns).map { column in
                .sum(b.indices.map { .product([row[$0], b[$0][column]]) })
            }
        }
    }
}
