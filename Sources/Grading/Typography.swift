/// Rewrites the many Unicode spellings of mathematics into ASCII and LaTeX.
///
/// Full-width and mathematical letters and digits become plain ones, Greek letters become commands,
/// runs of superscripts become exponents, and marks that do not show are dropped. Text in other
/// scripts stays as it is. One pass; the result is at most a few times as long as the text.
enum Typography {
    /// The text with every known spelling rewritten.
    static func plain(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
        let characters = Array(text.unicodeScalars)
        var result = String.UnicodeScalarView()
        var index = 0
        while index < characters.count {
            if let run = raisedRun(characters, at: index) {
                result.append(contentsOf: run.text.unicodeScalars)
                index = run.end
                continue
            }
            append(characters[index], to: &result)
            index += 1
        }
        return String(result)
    }

    private static func append(
        _ character: Unicode.Scalar,
        to result: inout String.UnicodeScalarView
    ) {
        let value = character.value
        if value < 0x80 {
            result.append(character)
        } else if let spelling = spellings[character] {
            result.append(contentsOf: spelling.unicodeScalars)
        } else if invisible.contains(value) || (0x1F300...0x1FAFF).contains(value) {
            return
        } else if let ascii = asciiTwin(of: value), let scalar = Unicode.Scalar(ascii) {
            append(scalar, to: &result)
        } else if let number = enclosedNumber(value) {
            result.append(contentsOf: "\(number)".unicodeScalars)
        } else if character.properties.numericType == .decimal,
            let digit = character.properties.numericValue, (0...9).contains(digit),
            let scalar = Unicode.Scalar(UInt32(0x30 + Int(digit)))
        {
            result.append(scalar)
        } else {
            result.append(character)
        }
    }

    /// Zero-width marks, direction marks, invisible operators, the soft hyphen; ticks and the marks that
    /// end a proof.
    private static let invisible = Set<UInt32>(
        [0x2705, 0x2713, 0x2714, 0x2611, 0x220E, 0x25A0, 0x25FC] + Array(0x200B...0x200F)
            + Array(0x202A...0x202E) + Array(0x2060...0x2064)
            + Array(0x2066...0x2069) + [0xFEFF, 0xAD, 0xFE0E, 0xFE0F]
    )

    /// The letter or digit that a full-width or mathematical character is a form of.
    private static func asciiTwin(of value: UInt32) -> UInt32? {
        switch value {
        case 0xFF01...0xFF5E: return value - 0xFEE0
        case 0x3000: return 0x20
        case 0x1D7CE...0x1D7FF: return 0x30 + (value - 0x1D7CE) % 10
        case 0x1D400...0x1D6A3:
            let place = (value - 0x1D400) % 52
            return place < 26 ? 0x41 + place : 0x61 + place - 26
        case 0x1D6A8...0x1D7C9:  // Greek, in blocks of 58
            let place = (value - 0x1D6A8) % 58
            return place < 25 ? 0x391 + place : (26..<51).contains(place) ? 0x3B1 + place - 26 : nil
        case 0x24B6...0x24CF: return value - 0x24B6 + 0x41  // circled letters
        default: return nil
        }
    }

    /// The number that a circled, bracketed or dotted numeral shows: 12 of "⑫".
    private static func enclosedNumber(_ value: UInt32) -> UInt32? {
        for first: UInt32 in [0x2460, 0x2474, 0x2488] where (first..<first + 20).contains(value) {
            return value - first + 1
        }
        for first: UInt32 in [0x2776, 0x2780, 0x278A] where (first..<first + 10).contains(value) {
            return value - first + 1
        }
        return value == 0x24EA ? 0 : nil
    }

    // MARK: - Raised and lowered characters

    /// Superscripts side by side as one exponent, subscripts as one index.
    ///
    /// A lone `²` or `³` stays: behind a unit it belongs to the unit.
    private static func raisedRun(
        _ characters: [Unicode.Scalar],
        at start: Int
    ) -> (text: String, end: Int)? {
        for (table, mark) in [(superscripts, "^"), (subscripts, "_")] {
            var contents = ""
            var end = start
            while end < characters.count, let plain = table[characters[end]] {
                contents.unicodeScalars.append(plain)
                end += 1
            }
            guard end > start else { continue }
            if contents.utf8.count == 1, mark == "^", "23".contains(contents) { return nil }
            return ("\(mark){\(contents)}", end)
        }
        return nil
    }

    private static let superscripts = table("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱˣᵀ", "0123456789+-()nixT")
    private static let subscripts = table("₀₁₂₃₄₅₆₇₈₉₊₋ₙᵢₖₘₓₐ", "0123456789+-nikmxa")

    private static func table(_ from: String, _ to: String) -> [Unicode.Scalar: Unicode.Scalar] {
        Dictionary(uniqueKeysWithValues: zip(from.unicodeScalars, to.unicodeScalars))
    }

    // MARK: - Single characters

    private static let spellings: [Unicode.Scalar: String] = {
        var table: [Unicode.Scalar: String] = [
            "、": ", ", "。": ". ", "．": ".", "‐": "-", "‑": "-", "‒": "-", "–": "-", "−": "-",
            "﹣": "-", "－": "-", "⁄": "/", "∕": "/", "“": "\"", "”": "\"", "‘": "'", "’": "'",
            "∘": "°", "˚": "°", "º": "°", "∣": "|", "ǀ": "|", "⟨": "(", "⟩": ")", "〈": "(",
            "〉": ")",
            "《": "(", "》": ")", "【": "[", "】": "]", "〔": "[", "〕": "]",
            "⋯": "\\cdots ", "≡": "\\equiv ", "ℎ": "h", "ℯ": "e", "ⅇ": "e", "ⅈ": "i", "ⅆ": "d",
            "∛": "\\sqrt[3]", "∜": "\\sqrt[4]", "∑": "\\sum ", "∏": "\\prod ", "∫": "\\int ",
            "≦": "\\le ", "≧": "\\ge ", "⩽": "\\le ", "⩾": "\\ge ", "ϵ": "\\epsilon ",
            "ϕ": "\\phi ", "ϑ": "\\theta ", "ϱ": "\\rho ", "µ": "\\mu ", "Ω": "\\Omega ",
            "∆": "\\Delta ", "⊤": "\\top ", "∗": "*", "∙": "\\cdot ", "•": "\\cdot ",
            "ℤ": "\\mathbb{Z}", "ℕ": "\\mathbb{N}", "ℚ": "\\mathbb{Q}", "ℂ": "\\mathbb{C}",
            "ℝ": "\\mathbb{R}", "≅": "\\cong ", "⌊": "\\lfloor ", "⌋": "\\rfloor ",
            "⇒": "\\Rightarrow ", "⟹": "\\implies ", "∴": "\\therefore ", "‰": " per thousand ",
            "«": "\"", "»": "\"", "℃": "°C", "℉": "°F",

            "ħ": "\\hbar ", "ℏ": "\\hbar ",
            "⌈": "\\lceil ", "⌉": "\\rceil ", "～": "~", "∧": "\\land ", "∨": "\\lor ",
        ]
        let fractions = [
            "½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅖": "2/5",
            "⅗": "3/5", "⅘": "4/5", "⅙": "1/6", "⅚": "5/6", "⅐": "1/7", "⅛": "1/8", "⅜": "3/8",
            "⅝": "5/8", "⅞": "7/8", "⅑": "1/9", "⅒": "1/10",
        ]
        for (sign, parts) in fractions {
            let halves = parts.split(separator: "/")
            for scalar in sign.unicodeScalars {
                table[scalar] = "\\frac{\(halves[0])}{\(halves[1])}"
            }
        }
        let small = [
            "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa",
            "lambda", "mu", "nu", "xi", "", "pi", "rho", "sigma", "sigma", "tau", "upsilon", "phi",
            "chi", "psi", "omega",
        ]
        for (offset, name) in small.enumerated() where !name.isEmpty {
            guard let scalar = Unicode.Scalar(UInt32(0x3B1 + offset)) else { continue }
            table[scalar] = "\\\(name) "
        }
        for (letter, name) in zip(
            "ΓΔΘΛΞΠΣΦΨΩ".unicodeScalars,
            ["Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Phi", "Psi", "Omega"]
        ) {
            table[letter] = "\\\(name) "
        }
        return table
    }()
}
