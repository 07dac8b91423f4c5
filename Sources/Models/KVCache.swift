import Kernels
import Synchronization

/// Keys and values of one sequence, for all layers of one model.
///
/// Rows are float32, `keyValueHeads · D` wide, in pages of 64 positions. Pages are allocated one by
/// one, so sequences grow, come and go without moving others; sequences with the same beginning
/// share its pages, and one that writes into a shared page copies that page first.
public final class KVCache {
    /// Positions that hold keys and values.
    public private(set) var length = 0
    private let width: Int
    private var pages: [Page] = []
    /// The memory of `pages`.
    private var numbers: KeyValuePages<Float>

    /// An empty cache for a model of the given configuration.
    public init(_ configuration: ModelConfiguration) {
        width = configuration.keyValueHeadCount * configuration.headDimension
        numbers = KeyValuePages(layerCount: configuration.layerCount, width: width)
    }

    private init(sharing other: KVCache) {
        (width, length) = (other.width, other.length)
        (pages, numbers) = (other.pages, other.numbers)
    }

    /// A cache with the same past, for another continuation of the same prompt; nothing is copied.
    public func fork() -> KVCache { KVCache(sharing: self) }

    /// Forgets the positions from `length` on.
    public func truncate(to length: Int) {
        precondition(
            (0...self.length).contains(length),
            "truncate: \(length) of \(self.length) positions"
        )
        self.length = length
        let needed = (length + Page.length - 1) / Page.length
        numbers.removeLast(max(0, pages.count - needed))
        pages.removeLast(max(0, pages.count - needed))
    }

    /// Bytes that the keys and values of all sequences take now, shared pages counted once.
    public static var liveByteCount: Int { Page.live.load(ordering: .relaxed) }

    /// The most that `liveByteCount` has been.
    public static var peakByteCount: Int { Page.peak.load(ordering: .relaxed) }

    /// Stores new rows of one layer behind the current length.
    ///
    /// The length itself moves with `advance(by:)`, once all layers have stored their rows.
    func store(layer: Int, keys: Buffer<Float>, values: Buffer<Float>) {
        let end = length + keys.count / width
        while pages.count * Page.length < end {
            pages.append(Page(count: numbers.pageCount))
            numbers.append(pages[pages.count - 1].numbers)
        }
        var position = length
        while position < end {
            let number = position / Page.length
            if !isKnownUniquelyReferenced(&pages[number]) {
                pages[number] = Page(copying: pages[number])
                numbers.replace(number, by: pages[number].numbers)
            }
            let next = min(end, (number + 1) * Page.length)
            let from = (position - length) * width..<(next - length) * width
            numbers.page(number, layer: layer)
                .store(keys: keys[from], values: values[from], at: position % Page.length)
            position = next
        }
    }

    /// Keys and values of one layer, with the rows just stored.
    func memory(layer: Int) -> KeysAndValues<Float> { .pages(numbers, layer: layer) }

    func advance(by count: Int) { length += count }
}

/// Keys and values of some consecutive positions: layer by layer, first keys, then values.
private final class Page {
    static let length = KeyValuePage<Float>.length
    static let live = Atomic(0)
    static let peak = Atomic(0)

    let numbers: Buffer<Float>

    init(count: Int) {
        numbers = .zeros(count)
        let bytes = count * MemoryLayout<Float>.size
        let now = Self.live.add(bytes, ordering: .relaxed).newValue
        Self.peak.max(now, ordering: .relaxed)
    }

    convenience init(copying other: Page) {
        self.init(count: other.numbers.count)
        numbers.copy(from: other.numbers)
    }

    deinit {
        Self.live.subtract(numbers.count * MemoryLayout<Float>.size, ordering: .relaxed)
    }
}
