import Kernels

/// Keys and values of one sequence, for all layers of one model.
///
/// Each sequence owns its memory, so sequences come and go without moving others. Rows are float32,
/// `keyValueHeads · D` wide; a layer's rows are contiguous by position.
public final class KVCache {
    private struct Layer {
        var keys: Buffer<Float>
        var values: Buffer<Float>
    }

    /// Positions that hold keys and values.
    public private(set) var length = 0
    private let width: Int
    private var capacity: Int
    private var layers: [Layer]

    /// An empty cache for a model of the given configuration.
    public init(_ configuration: ModelConfiguration, capacity: Int = 64) {
        width = configuration.keyValueHeadCount * configuration.headDimension
        self.capacity = capacity
        layers = (0..<configuration.layerCount).map { [width] _ in
            Layer(keys: Buffer(count: capacity * width), values: Buffer(count: capacity * width))
        }
    }

    private init(copying other: KVCache) {
        (width, capacity, length) = (other.width, other.length, other.length)
        let used = 0..<length * width
        layers = other.layers.map { layer in
            let copy = Layer(keys: Buffer(count: used.count), values: Buffer(count: used.count))
            copy.keys.copy(from: layer.keys[used])
            copy.values.copy(from: layer.values[used])
            return copy
        }
    }

    /// A cache with the same past, for another continuation of the same prompt.
    public func fork() -> KVCache { KVCache(copying: self) }

    /// Forgets the positions from `length` on.
    public func truncate(to length: Int) {
        precondition(
            (0...self.length).contains(length),
            "truncate: \(length) of \(self.length) positions"
        )
        self.length = length
    }

    /// Memory for keys and values of all layers, in bytes.
    public var byteCount: Int { 2 * layers.count * capacity * width * MemoryLayout<Float>.size }

    /// Stores new rows of one layer behind the current length, and gives back all rows of it.
    ///
    /// The length itself moves with `advance(by:)`, once all layers have stored their rows.
    func append(layer: Int, keys: Buffer<Float>, values: Buffer<Float>)
        -> (keys: Buffer<Float>, values: Buffer<Float>)
    {
        let (start, end) = (length * width, length * width + keys.count)
        if end > capacity * width { grow(to: end / width) }
        layers[layer].keys[start..<end].copy(from: keys)
        layers[layer].values[start..<end].copy(from: values)
        return (layers[layer].keys[0..<end], layers[layer].values[0..<end])
    }

    func advance(by count: Int) { length += count }

    private func grow(to needed: Int) {
        let newCapacity = max(needed, capacity * 2)
        // Layers already appended to in this pass hold rows beyond `length`, so all is copied.
        for index in layers.indices {
            let old = layers[index]
            let new = Layer(
                keys: Buffer(count: newCapacity * width),
                values: Buffer(count: newCapacity * width)
            )
            new.keys[0..<old.keys.count].copy(from: old.keys)
            new.values[0..<old.values.count].copy(from: old.values)
            layers[index] = new
        }
        capacity = newCapacity
    }
}
