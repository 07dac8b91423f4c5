/// Joins the pieces of a problem, without those that mean nothing where they stand.
struct ProblemTextForm {
    private typealias Piece = ProblemText.Piece
    private let pieces: [Piece]
    private let dropped: Set<Int>

    /// Takes the pieces in their order.
    init(_ pieces: [ProblemText.Piece]) {
        self.pieces = pieces
        dropped = Self.idleBrackets(pieces)
    }

    /// The text of what means something; a space stands where two numbers part.
    var bytes: [UInt8] {
        var result: [UInt8] = []
        var endsInNumber = false
        for (index, piece) in pieces.enumerated() where isKept(index) {
            if endsInNumber && piece.kind == .number { result.append(UInt8(ascii: " ")) }
            result += piece.text.utf8
            endsInNumber = piece.kind == .number
        }
        return result
    }

    private func isKept(_ index: Int) -> Bool {
        switch pieces[index].kind {
        case .number, .word, .operand, .sign: true
        case .open, .close: !dropped.contains(index)
        case .mark: isMeant(index)
        }
    }

    /// Whether a mark stands between things that it relates.
    private func isMeant(_ index: Int) -> Bool {
        let before = index > 0 ? pieces[index - 1] : nil
        let after = index + 1 < pieces.count ? pieces[index + 1] : nil
        let gaps = (pieces[index].isApart, after?.isApart ?? true)
        let isBetween = before?.isQuantity == true && after?.isQuantity == true
        switch pieces[index].text {
        case "-":
            // A hyphen joins words, or a word and a number: x-axis, 3-digit.
            let isHyphen =
                !gaps.0 && !gaps.1 && (before?.kind == .word || after?.kind == .word)
            guard let after, !isHyphen else { return false }
            return before?.isQuantity == true || after.isQuantity
        case "/":
            guard let before, let after else { return false }
            return before.kind != .word || after.kind != .word
        case "!":
            guard let before, !gaps.0 else { return false }
            return before.isQuantity || before.kind == .mark && before.text == "!"
        case "'":
            guard let before, !gaps.0 else { return false }
            let isWithinWord = !gaps.1 && (after?.kind == .word || after?.kind == .operand)
            return before.kind == .operand && !isWithinWord || before.text == "'"
        case ":", "#", "@", "&": return isBetween && gaps.0 == gaps.1
        case "~": return gaps.0 && gaps.1
        // Two numbers are told apart without it.
        case ",", ";": return isBetween && !(before?.kind == .number && after?.kind == .number)
        case "…":
            return before?.isQuantity == true || before?.kind == .sign
                || before?.text == "," || after?.isQuantity == true
        case let text where text.hasPrefix("*"):
            return isBetween || before != nil && after != nil && gaps.0 == gaps.1
        default: return false
        }
    }

    /// Brackets around words alone, around nothing, and around one thing that a sign refers to.
    private static func idleBrackets(_ pieces: [Piece]) -> Set<Int> {
        var idle: Set<Int> = []
        var open: [(index: Int, words: Int, signs: Int)] = []
        var (words, signs) = (0, 0)
        for (index, piece) in pieces.enumerated() {
            switch piece.kind {
            case .word: words += 1
            case .sign: signs += 1
            case .mark where ["-", "/", "*"].contains(piece.text): signs += 1
            case .open: open.append((index, words, signs))
            case .close:
                guard let start = open.popLast() else {
                    if piece.text == ")" { idle.insert(index) }
                    continue
                }
                let isProse = words > start.words && signs == start.signs
                let before = start.index > 0 ? pieces[start.index - 1] : nil
                let refersToOne =
                    index == start.index + 2 && (before?.kind == .sign || before?.text == "√")
                // Floors, ceilings and the like are never mere punctuation.
                let isPlain = ["(", "[", "{"].contains(pieces[start.index].text)
                if isPlain && (isProse || refersToOne) || index == start.index + 1 {
                    idle.formUnion([start.index, index])
                }
            default: break
            }
        }
        return idle.union(open.map(\.index))
    }
}

extension ProblemText.Piece {
    /// Whether signs can relate it.
    fileprivate var isQuantity: Bool {
        switch kind {
        case .number, .operand, .open, .close: true
        case .word, .sign, .mark: false
        }
    }
}
