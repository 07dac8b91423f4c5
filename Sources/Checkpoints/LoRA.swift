import Basics

/// Low-rank adaptation: which linear maps are adapted, and with matrices of which size.
///
/// A map with the frozen weight W computes y = W x + (α / r) B A x; only A, `[r, inputs]`, and B,
/// `[outputs, r]`, are trained. Source: Hu et al. 2021, arXiv:2106.09685, section 4.1.
public struct LoRA: Sendable, Equatable {
    /// r, the rank of every update.
    public var rank: Int
    /// α; updates are scaled by α / r.
    public var alpha: Double
    /// Published names of the adapted maps, such as `q_proj`, the same in every layer.
    public var targets: [String]

    /// Describes an adaptation.
    ///
    /// - Precondition: a positive rank, and targets among `maps`.
    public init(rank: Int, alpha: Double, targets: [String]) {
        precondition(
            rank > 0 && !targets.isEmpty && targets.allSatisfy(LoRA.maps.contains),
            "LoRA: rank \(rank), targets \(targets)"
        )
        self.rank = rank
        self.alpha = alpha
        self.targets = targets
    }

    /// The linear maps of a layer.
    public static let maps = TensorNames().linearMaps.map(\.lastComponent)

    /// α / r.
    public var scale: Double { alpha / Double(rank) }

    /// Whether a map is adapted, by its path, such as `model.layers.0.self_attn.q_proj`.
    public func adapts(_ path: String) -> Bool {
        targets.contains { path.hasSuffix(".\($0)") }
    }

    /// The name of A for a map's path.
    public static func a(_ path: String) -> String { "\(path).lora_A.weight" }
    /// The name of B for a map's path.
    public static func b(_ path: String) -> String { "\(path).lora_B.weight" }

    /// Reads the members of PEFT's adapter_config.json; see `AdapterBase.configuration`.
    ///
    /// - Throws: `Failure.badData` naming the member that is missing or cannot be.
    public init(_ json: JSON) throws {
        let (rank, targets) = (try json.integer("r"), try json.array("target_modules"))
        let names = targets.compactMap(\.string).filter(LoRA.maps.contains)
        guard (1...65536).contains(rank), !names.isEmpty, names.count == targets.count else {
            throw Failure(
                .badData,
                at: "'adapter_config'",
                "found rank \(rank) and \(targets.count) target modules, of which \(names.count) are "
                    + "known; expected a positive rank and modules of "
                    + LoRA.maps.joined(separator: ", ")
            )
        }
        self.init(rank: rank, alpha: try json.number("lora_alpha"), targets: names)
    }
}
