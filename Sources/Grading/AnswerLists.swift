/// The elements of an answer, put together as they are meant.
enum AnswerLists {
    /// Most elements that are looked at; more stay as they are.
    private static let longest = 64

    /// `x \equiv 2, 3 \pmod 5` with its modulus at both, "1 hour, 15 minutes" as one duration, and
    /// `a=1, b=2, a=3, b=4` as two pairs.
    static func arranged(_ elements: [Expression]) -> [Expression] {
        guard elements.count > 1, elements.count <= longest else { return elements }
        if let duration = durations(elements) { return [duration] }
        return residues(elements) ?? congruences(elements) ?? namedGroups(elements) ?? elements
    }

    /// Two inequalities in one variable with "and" or "or" between them, as one condition.
    static func joined(_ elements: [Expression], by connective: Token?) -> [Expression] {
        guard case .sign(let sign)? = connective, elements.count == 2 else { return elements }
        let arePropositions = elements.allSatisfy {
            if case .symbol(let name) = $0 {
                name.utf8.count == 1 && name == name.lowercased()
            } else {
                false
            }
        }
        if arePropositions { return [.group(open: sign, elements, close: sign)] }
        guard
            elements.allSatisfy({
                if case .relation(let sign, _, _) = $0 { sign == "<" || sign == "≤" } else { false }
            }), elements[0].symbols == elements[1].symbols
        else { return elements }
        return [.group(open: sign, elements, close: sign)]
    }

    // MARK: - Durations

    /// Units of one kind from large to small, as in "2 feet 3 inches", added up; nil for others.
    static func durations(_ parts: [Expression]) -> Expression? {
        var base: String?
        var last: Rational?
        var terms: [Expression] = []
        for part in parts {
            guard case .measured(let value, let unit) = part, case .number = value,
                let scale = Unit.scale(of: unit), base == nil || base == scale.base,
                last.map({ scale.factor < $0 }) ?? true
            else { return nil }
            (base, last) = (scale.base, scale.factor)
            terms.append(.product([value, .number(scale.factor, places: nil)]))
        }
        guard let base, terms.count > 1 else { return nil }
        return .measured(.sum(terms), .named(base))
    }

    // MARK: - Congruences

    /// `x = 12k + 5, k \in \mathbb{Z}` and `\frac{\pi}{4} + k\pi, k \in \mathbb{Z}` as a family.
    private static func residues(_ elements: [Expression]) -> [Expression]? {
        guard elements.count == 2,
            case .relation("∈", .symbol(let k), .symbol("Z")) = elements[1]
        else { return nil }
        guard case .relation("=", let name, let value) = elements[0] else {
            return Families.family(elements[0], in: k).map { [$0] }
        }
        return Families.family(value, in: k).map { [.relation("=", name, $0)] }
    }

    private static func congruences(_ elements: [Expression]) -> [Expression]? {
        guard case .relation("≡", let name, let first) = elements[0],
            case .measured(_, .modulus(let modulus))? = elements.last
        else { return nil }
        return [.relation("≡", name, .measured(first, .modulus(modulus)))]
            + elements.dropFirst().map { element in
                if case .measured(let value, _) = element {
                    return .relation("≡", name, .measured(value, .modulus(modulus)))
                }
                return .relation("≡", name, .measured(element, .modulus(modulus)))
            }
    }

    // MARK: - Named pairs

    /// Equations whose names come again and again, in groups of one round each.
    private static func namedGroups(_ elements: [Expression]) -> [Expression]? {
        let names = elements.compactMap { element -> String? in
            if case .relation("=", .symbol(let name), _) = element { name } else { nil }
        }
        guard names.count == elements.count,
            let size = names.dropFirst().firstIndex(of: names[0]), size > 1,
            elements.count % size == 0,
            names.indices.allSatisfy({ names[$0] == names[$0 % size] })
        else { return nil }
        return stride(from: 0, to: elements.count, by: size).map {
            .group(open: "(", Array(elements[$0..<$0 + size]), close: ")")
        }
    }

    /// The values of equations that each name another variable, in the order of the names; nil
    /// where an element is anything else.
    static func named(_ elements: [Expression]) -> (names: [String], values: [Expression])? {
        guard elements.count > 1, elements.count <= longest else { return nil }
        var pairs: [(String, Expression)] = []
        for element in elements {
            guard case .relation("=", .symbol(let name), let value) = element,
                !pairs.contains(where: { $0.0 == name })
            else { return nil }
            pairs.append((name, value))
        }
        pairs.sort { $0.0 < $1.0 }
        return (pairs.map(\.0), pairs.map(\.1))
    }
}
