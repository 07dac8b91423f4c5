import Basics
import ChatTemplates
import Synchronization

/// A byte-level tokenizer: bytes in, ids out, and back without loss.
///
/// Cheap to pass (one reference) and safe to use from several threads at once. Made from a Hugging
/// Face tokenizer.json (`init(json:configuration:)`), from the metadata of a GGUF file
/// (`init(gguf:)`) or from a list of whole words (`init(words:endOfTurn:)`).
///
/// `decode(encode(x)) == x` for every text whose bytes have tokens, with special tokens parsed or
/// not; only where the file asks for normalisation (`normalizesNFC`) is it the text's form C. Ids
/// equal those of the reference implementation (huggingface/tokenizers) without the tokens its
/// post-processor adds.
public struct Tokenizer: Sendable {
    let storage: Storage

    /// The tables, shared by all copies.
    final class Storage: Sendable {
        let vocabulary: Vocabulary
        let encoder: BytePairEncoder
        let preTokenizer: PreTokenizer
        let normalizesNFC: Bool
        let added: AddedTokens
        let addedAfterNormalizing: AddedTokens
        let roles: ResolvedRoles
        let mergeList: [(left: Int32, right: Int32)]
        /// Taken by the call that encodes; a call that finds none makes its own.
        let scratch = Mutex<BytePairScratch?>(nil)
        /// The chat template as a program, once it has been asked for.
        let readTemplate = Mutex<ChatTemplate?>(nil)

        init(_ parts: TokenizerParts) throws {
            var vocabulary = try Vocabulary(normal: parts.normal, added: parts.added)
            let merges = try parts.merges.resolve(in: vocabulary)
            var table = MergeTable(capacity: merges.count)
            for (rank, merge) in merges.enumerated() {
                table.add(merge.left, merge.right, rank: rank, result: merge.result)
            }
            mergeList = merges.map { ($0.left, $0.right) }
            let byteTokens = (0..<256).map { byte in
                vocabulary.id(of: [UInt8(byte)], 0..<1).flatMap { id in
                    vocabulary.kinds[Int(id)] == .special ? nil : id
                } ?? -1
            }
            vocabulary.preferAdded()
            encoder = BytePairEncoder(
                byteTokens: byteTokens,
                merges: table,
                ignoresMerges: parts.ignoresMerges
            )
            func entries(_ isNormalized: Bool) -> [AddedTokens.Entry] {
                vocabulary.added.filter { $0.isNormalized == isNormalized }.map { token in
                    var content = token.bytes
                    if isNormalized { content = Normalization.composed(content, 0..<content.count) }
                    return AddedTokens.Entry(
                        id: Int32(token.id),
                        content: content,
                        isSpecial: token.kind == .special
                    )
                }
            }
            added = AddedTokens(entries(false))
            addedAfterNormalizing = AddedTokens(entries(true))
            preTokenizer = parts.preTokenizer
            normalizesNFC = parts.normalizesNFC
            roles = ResolvedRoles(parts.roles, vocabulary: vocabulary)
            self.vocabulary = vocabulary
        }
    }

    init(parts: TokenizerParts) throws { storage = try Storage(parts) }
}

extension Tokenizer {
    /// One more than the largest token id.
    ///
    /// A model's output layer may have more rows than this; those rows are padding, and their ids
    /// decode to nothing.
    public var vocabularySize: Int { storage.vocabulary.count }

    /// The token that begins texts, if the file declares one.
    public var bosID: Int32? { storage.roles.bosID }
    /// Whether the file asks for `bosID` before every text.
    ///
    /// `encode` never adds it; `PromptTemplate.encode` does.
    public var addsBOS: Bool { storage.roles.addsBOS }
    /// The token that ends texts, declared or recognised by its name.
    public var eosID: Int32? { storage.roles.eosID }
    /// All tokens that end a turn or a text: `eosID`, and `<|im_end|>`, `<|eot_id|>` and the like.
    public var endOfTurnIDs: Set<Int32> { storage.roles.endOfTurnIDs }
    /// The token to fill up batches with; never one of `endOfTurnIDs`.
    ///
    /// The declared one where it ends no turn, else one meant for padding (`<|fim_pad|>`), else
    /// another special token, else the smallest id.
    public var padID: Int32 { storage.roles.padID }
    /// The chat template (Jinja) that came with the tokenizer; `prompt(_:_:)` renders it.
    public var chatTemplate: String? { storage.roles.chatTemplate }
    /// Whether text is brought to Unicode's form C first, as the file asks.
    public var normalizesNFC: Bool { storage.normalizesNFC }

    /// Whether an id is a special token: one that `SpecialTokens.asText` keeps out.
    public func isSpecial(_ id: Int32) -> Bool {
        storage.vocabulary.kinds.indices.contains(Int(id))
            && storage.vocabulary.kinds[Int(id)] == .special
    }

    /// The bytes a token stands for; none for an id that no token has.
    public func tokenBytes(_ id: Int32) -> [UInt8] {
        guard storage.vocabulary.kinds.indices.contains(Int(id)) else { return [] }
        return Array(storage.vocabulary.spellings[Int(id)])
    }

    /// The token spelled by exactly these bytes, or nil.
    public func id(of bytes: [UInt8]) -> Int32? {
        storage.vocabulary.id(of: bytes, 0..<bytes.count)
    }

    /// The token spelled by exactly this text, or nil.
    public func id(of text: String) -> Int32? { id(of: Array(text.utf8)) }

    /// The bytes of a sequence of tokens.
    ///
    /// Ids that no token has contribute nothing.
    public func decode(_ ids: some Sequence<Int32>, skipSpecial: Bool) -> [UInt8] {
        var output: [UInt8] = []
        for id in ids where !(skipSpecial && isSpecial(id)) {
            guard storage.vocabulary.kinds.indices.contains(Int(id)) else { continue }
            output.append(contentsOf: storage.vocabulary.spellings[Int(id)])
        }
        return output
    }

    /// The text of a sequence of tokens, with U+FFFD for what is not UTF-8.
    public func text(of ids: some Sequence<Int32>, skipSpecial: Bool) -> String {
        String(decoding: decode(ids, skipSpecial: skipSpecial), as: UTF8.self)
    }
}
