import Basics
import Kernels

extension TensorSource {
    /// A tensor in the bytes of the file, all of whose numbers are finite.
    ///
    /// - Throws: As `matrix`; `Failure.badData` naming the first number that is not finite.
    public func finiteMatrix(_ name: String) throws -> StoredMatrix {
        let matrix = try matrix(name)
        if let (row, column) = matrix.firstNotFinite {
            throw notFinite(name, row * matrix.columns + column)
        }
        return matrix
    }

    /// A tensor widened to float32, all of whose numbers are finite.
    ///
    /// - Throws: As `values`; `Failure.badData` naming the first number that is not finite.
    public func finiteValues(_ name: String) throws -> Buffer<Float> {
        let values = try values(name)
        if let index = values.firstNotFinite { throw notFinite(name, index) }
        return values
    }

    private func notFinite(_ name: String, _ index: Int) -> Failure {
        let shape = tensors[name]?.shape ?? []
        var (rest, place) = (index, [Int]())
        for axis in shape.reversed() {
            place.insert(rest % axis, at: 0)
            rest /= axis
        }
        return Failure(
            .badData,
            file: path,
            at: "tensor '\(name)'",
            "the number at \(place) is infinite or not a number; expected finite weights",
            remedy: "The model is broken: fetch it again, or take an earlier checkpoint."
        )
    }
}

extension ModelFiles {
    /// Refuses a separate head in a model whose configuration ties the head to the embedding.
    ///
    /// A copy of the embedding under the head's name is harmless.
    /// - Throws: `Failure.badData` saying where the two differ.
    public func checkTiedHead() throws {
        let (head, embedding) = (family.names.head.weight, family.names.embedding.weight)
        guard configuration["tie_word_embeddings"]?.bool ?? family.tiesWordEmbeddings,
            let found = source.tensors[head], let table = source.tensors[embedding]
        else { return }
        func refuse(_ difference: String) -> Failure {
            Failure(
                .badData,
                file: path,
                at: "tensor '\(head)'",
                "\(difference), but 'tie_word_embeddings' in the configuration is true",
                remedy: "If the head was trained apart, set tie_word_embeddings to false in "
                    + "config.json; otherwise remove the tensor."
            )
        }
        guard found.shape == table.shape, found.count > 0 else {
            throw refuse("its shape is \(found.shape), the embedding's \(table.shape)")
        }
        let (apart, shared) = (try source.matrix(head), try source.matrix(embedding))
        if apart.format == shared.format, apart.bytes.elementsEqual(shared.bytes) { return }
        for first in stride(from: 0, to: apart.rows, by: 1024) {
            let rows = first..<min(first + 1024, apart.rows)
            let (a, b): (Buffer<Float>, Buffer<Float>) = (
                apart.dequantized(rows: rows), shared.dequantized(rows: rows)
            )
            let index = (0..<a.count).first { a[$0] != b[$0] && !(a[$0].isNaN && b[$0].isNaN) }
            if let index {
                let row = rows.lowerBound + index / apart.columns
                throw refuse("row \(row) differs from the embedding's")
            }
        }
    }
}
