/// How much of a loop a thread takes at a time, from the sizes of the loop alone.
///
/// A chunk is some microseconds of work, a multiple of what it costs to take one; and there are enough
/// chunks for 64 threads where there is work for so many.
enum Grain {
    /// Elements of operations that read and write memory; a multiple of every vector width.
    static let elements = 1 << 13
    /// Elements of functions that take some time each.
    static let activations = 1 << 12

    /// Rows of an operation on whole rows.
    static func rows(of columns: Int) -> Int { max(1, elements / max(columns, 1)) }

    /// Columns of a sum over rows, whole cache lines: each column is added up by one thread.
    static func columns(rows: Int, columns: Int) -> Int {
        rows * columns < elements ? max(columns, 1) : 16
    }

    /// Weights of an optimizer step, which has millions.
    static let weights = 1 << 14
}
