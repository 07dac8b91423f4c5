/// Vectors written as sums of unit vectors: `2\mathbf{i} + 5\mathbf{j}`.
enum UnitVectors {
    /// The components of a sum of unit vectors: three where `k` occurs or `count` says so, else two.
    ///
    /// With `plain` the letters i, j, k without a mark count, of which j or k must occur.
    static func components(of a: Expression, plain: Bool, count: Int? = nil) -> [Expression]? {
        switch a {
        case .sum, .product, .symbol: break
        default: return nil
        }
        let names = ["i", "j", "k"].map { plain ? $0 : "\\unit{\($0)}" }
        let symbols = a.symbols
        guard names.contains(where: symbols.contains),
            !plain || symbols.contains("j") || symbols.contains("k"), isLinear(a, names)
        else { return nil }
        let dimension = max(count ?? 0, symbols.contains(names[2]) ? 3 : 2)
        guard dimension <= 3 else { return nil }
        return names.prefix(dimension).map { name in
            a.substituting(
                Dictionary(uniqueKeysWithValues: names.map { ($0, .integer($0 == name ? 1 : 0)) })
            )
        }
    }

    /// Whether every term has one unit vector as a factor.
    private static func isLinear(_ a: Expression, _ names: [String]) -> Bool {
        switch a {
        case .symbol(let name): names.contains(name)
        case .sum(let terms): terms.allSatisfy { isLinear($0, names) }
        case .product(let factors):
            factors.count { !$0.symbols.isDisjoint(with: names) } == 1
                && factors.contains { isLinear($0, names) }
        default: false
        }
    }
}
