/// How signs, functions and LaTeX commands are spelled.
enum ProblemSigns {
    /// Characters whose compatibility forms would lose what they say, as other text.
    static let spellings: [Unicode.Scalar: String] = {
        var table: [Unicode.Scalar: String] = [
            "º": "°", "˚": "°", "′": "'", "’": "'", "ʹ": "'", "″": "''",
            "¼": " 1/4", "½": " 1/2", "¾": " 3/4", "⅓": " 1/3", "⅔": " 2/3", "⅛": " 1/8",
            "⅜": " 3/8", "⅝": " 5/8", "⅞": " 7/8", "⅕": " 1/5", "⅖": " 2/5", "⅗": " 3/5",
            "⅘": " 4/5", "⅙": " 1/6", "⅚": " 5/6", "⅐": " 1/7", "⅑": " 1/9", "⅒": " 1/10",
        ]
        for (index, lowered) in "₀₁₂₃₄₅₆₇₈₉".unicodeScalars.enumerated() {
            table[lowered] = "_{\(index)}"
        }
        for (letter, name) in greek {
            table[letter] = " \\\(name) "
            if let capital = letter.properties.uppercaseMapping.unicodeScalars.first {
                table[capital] = " \\\(name) "
            }
        }
        return table
    }()

    /// Raised characters and their plain forms.
    static let raised = Dictionary(
        uniqueKeysWithValues: zip(
            "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿⁱ".unicodeScalars,
            "0123456789+-ni".unicodeScalars
        )
    )

    private static let greek: [Unicode.Scalar: String] = [
        "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta",
        "η": "eta", "θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu",
        "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "υ": "upsilon", "φ": "phi",
        "χ": "chi", "ψ": "psi", "ω": "omega", "µ": "mu",
    ]

    /// Names of functions and quantities.
    static let operands: Set<String> = Set(greek.values).union([
        "sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "sinh", "cosh",
        "tanh", "log", "ln", "lg", "exp", "max", "min", "gcd", "lcm", "det", "mod", "abs", "lim",
        "sum", "prod", "int", "floor", "ceil", "binom", "overline", "varepsilon", "varphi",
        "vartheta", "vec", "hat", "bar",
    ])

    /// Words of one or two letters that are no quantities.
    static let shortWords: Set<String> = [
        "am", "an", "as", "at", "be", "by", "cm", "do", "ft", "go", "he", "if", "in",
        "is", "it", "kg", "km", "me", "ml", "mm", "my", "no", "of", "on", "or", "so", "to", "up",
        "us", "we", "st", "nd", "rd", "th",
    ]

    /// Several characters that are one sign, the longest first.
    static let digraphs: [(spelled: [Unicode.Scalar], meant: String)] = [
        (Array("...".unicodeScalars), "…"), (Array("<=".unicodeScalars), "≤"),
        (Array(">=".unicodeScalars), "≥"), (Array("!=".unicodeScalars), "≠"),
        (Array("->".unicodeScalars), "→"),
    ]

    /// Other characters for the same sign.
    static let plain: [Unicode.Scalar: Unicode.Scalar] = [
        "×": "*", "·": "*", "⋅": "*", "∗": "*", "∙": "*", "÷": "/", "⁄": "/", "∕": "/", "−": "-",
        "‐": "-", "‑": "-", "‒": "-", "–": "-", "≦": "≤", "⩽": "≤", "≧": "≥", "⩾": "≥", "∣": "|",
        "…": "…", "⋯": "…", "∼": "~",
    ]

    /// Characters that mean something in some places only.
    static let marks = Set("-/*!':…#@&~,;".map(String.init))

    /// Commands that stand for a sign.
    static let commands: [String: String] = [
        "times": "*", "cdot": "*", "ast": "*", "div": "/", "pm": "±", "mp": "∓", "le": "≤",
        "leq": "≤", "leqslant": "≤", "ge": "≥", "geq": "≥", "geqslant": "≥", "ne": "≠",
        "neq": "≠", "lt": "<", "gt": ">", "approx": "≈", "equiv": "≡", "sim": "~", "infty": "∞",
        "to": "→", "rightarrow": "→", "circ": "°", "degree": "°", "in": "∈", "cup": "∪",
        "cap": "∩", "subset": "⊂", "subseteq": "⊆", "angle": "∠", "triangle": "△", "perp": "⊥",
        "parallel": "∥", "mid": "|", "vert": "|", "lvert": "|", "rvert": "|", "prime": "'",
        "ldots": "…", "cdots": "…", "dots": "…", "dotsc": "…", "dotsb": "…", "sum": "∑",
        "prod": "∏", "int": "∫", "partial": "∂",
    ]

    /// Commands that stand for a bracket.
    static let brackets: [String: (text: String, isOpen: Bool)] = [
        "lfloor": ("⌊", true), "rfloor": ("⌋", false), "lceil": ("⌈", true),
        "rceil": ("⌉", false), "langle": ("⟨", true), "rangle": ("⟩", false),
        "lbrace": ("{", true), "rbrace": ("}", false), "lparen": ("(", true),
        "rparen": (")", false), "lbrack": ("[", true), "rbrack": ("]", false),
    ]

    /// Commands that only say how something looks.
    static let silent: Set<String> = [
        "left", "right", "middle", "big", "Big", "bigg", "Bigg", "bigl", "bigr", "Bigl", "Bigr",
        "displaystyle", "textstyle", "limits", "nolimits", "quad", "qquad", "text", "textbf",
        "textit", "textrm", "texttt", "mathrm", "mathbf", "mathit", "mathsf", "mathbb", "mathcal",
        "operatorname", "mbox", "hbox", "emph", "rm", "bf", "it", "hline", "centering",
        "noindent", "item", "boxed",
    ]

    /// Commands of that kind whose argument says nothing either.
    static let silentWithArgument: Set<String> = ["begin", "end", "hspace", "vspace", "label"]
}
