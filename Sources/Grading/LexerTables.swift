/// The spellings the lexer knows.
enum LexerTables {
    /// Characters that stand for themselves.
    static let signs = Set<Unicode.Scalar>("+-*/^_=<>()[]{}|,;:!%&".unicodeScalars)

    /// Commands without meaning for a value: space, size, style, and "\left" with its kin.
    static let dropped: Set<String> = [
        "left", "right", "big", "Big", "Bigg", "bigl", "bigr", "Bigl", "Bigr",
        "displaystyle",
        "textstyle", "quad", "qquad", "limits", "nolimits", "thinspace", "hfill", "hspace",
        "medspace", "enspace", "thickspace", "negthinspace", "nobreak",
        "bigg", "biggl", "biggr", "Biggl", "Biggr", "middle", "rm", "bf", "it", "mathstrut",
    ]

    /// Commands whose braces hold text or a font change.
    static let wrappers: Set<String> = [
        "text", "textbf", "textit", "textrm", "textnormal", "textsf", "texttt", "textsc", "textup",
        "mbox", "hbox", "mathrm", "mathbf",
        "mathit", "mathsf", "mathcal", "mathbb", "bm", "boldsymbol", "operatorname", "boxed",
        "fbox", "mathord", "emph",
    ]

    /// Commands that name a letter without a value.
    static let letters: Set<String> = [
        "alpha", "beta", "gamma", "delta", "epsilon", "varepsilon", "zeta", "eta", "theta",
        "vartheta", "iota", "kappa", "lambda", "mu", "nu", "xi", "rho", "sigma", "tau", "upsilon",
        "phi", "varphi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Sigma",
        "Phi", "Psi", "Omega", "infty", "hbar", "ell", "emptyset", "triangle",
        "prime", "odot", "angle", "ldots", "dots", "cdots", "square", "nabla", "partial", "Pi",
    ]

    /// Commands that set a mark over a letter or over several, which then are one name.
    static let accents: Set<String> = [
        "overline", "bar", "vec", "hat", "widehat", "tilde", "overrightarrow", "dot", "ddot",
    ]

    /// Whether a name is one of a command.
    static func isKnown(_ name: String) -> Bool {
        commands[name] != nil || wrappers.contains(name) || dropped.contains(name)
            || letters.contains(name) || accents.contains(name) || name == "mathbb"
    }

    /// Commands with a meaning, under one name each.
    static let commands: [String: Token] = {
        var table: [String: Token] = [
            "dfrac": .command("frac"), "tfrac": .command("frac"), "cfrac": .command("frac"),
            "dbinom": .command("binom"), "tbinom": .command("binom"),
            "times": .sign("*"), "cdot": .sign("*"), "ast": .sign("*"), "div": .sign("/"),
            "pm": .command("pm"), "mp": .command("mp"), "le": .sign("≤"), "leq": .sign("≤"),
            "leqslant": .sign("≤"), "ge": .sign("≥"), "geq": .sign("≥"), "geqslant": .sign("≥"),
            "lt": .sign("<"), "gt": .sign(">"), "ne": .sign("≠"), "neq": .sign("≠"),
            "approx": .sign("≈"), "simeq": .sign("≈"), "equiv": .sign("="), "in": .sign("∈"),
            "cup": .sign("∪"),
            "bigcup": .sign("∪"), "cap": .sign("∩"), "setminus": .sign("∖"),
            "backslash": .sign("∖"), "lor": .sign(","), "vee": .sign(","), "land": .sign(","),
            "wedge": .sign(","), "leqq": .sign("≤"), "geqq": .sign("≥"),
            "reals": .symbol("\\reals"),
            "varnothing": .symbol("\\emptyset"),
            "lvert": .sign("|"), "rvert": .sign("|"), "vert": .sign("|"), "mid": .sign("|"),
            "lbrack": .sign("["), "rbrack": .sign("]"), "langle": .sign("("), "rangle": .sign(")"),
            "degree": .command("circ"), "colon": .sign(":"),
            "pounds": .currency("pound sterling"), "euro": .currency("euro"),
            "log": .command("ln"), "asin": .command("arcsin"), "acos": .command("arccos"),
            "atan": .command("arctan"), "ceil": .command("ceil"), "floor": .command("floor"),
        ]
        for name in [
            "frac", "binom", "sqrt", "circ", "pi", "lbrace", "rbrace", "lfloor", "rfloor", "lceil",
            "rceil", "sin", "cos", "tan", "csc", "sec", "cot", "arcsin", "arccos", "arctan", "sinh",
            "cosh", "tanh", "exp", "ln", "lg", "choose", "over", "cis",
        ] {
            table[name] = .command(name)
        }
        return table
    }()

    /// Words outside LaTeX with a meaning, in small letters.
    static let words: [String: Token] = {
        var table: [String: Token] = [
            "and": .sign(","), "or": .sign(","), "infinity": .symbol("\\infty"),
            "infty": .symbol("\\infty"), "inf": .symbol("\\infty"), "oo": .symbol("\\infty"),
            "abs": .command("abs"), "union": .sign("∪"), "theta": .symbol("\\theta"),
            "usd": .word("usd"),
        ]
        for name in [
            "sqrt", "pi", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "asin", "acos", "atan",
            "exp", "ln", "log", "floor", "ceil", "cis", "sinh", "cosh", "tanh", "csc", "sec", "cot",
        ] {
            table[name] = commands[name]
        }
        return table
    }()

    /// Unicode signs, as the tokens they abbreviate.
    static let unicode: [Unicode.Scalar: [Token]] = {
        var table: [Unicode.Scalar: [Token]] = [
            "−": [.sign("-")], "–": [.sign("-")], "×": [.sign("*")], "·": [.sign("*")],
            "⋅": [.sign("*")], "÷": [.sign("/")], "∕": [.sign("/")], "±": [.command("pm")],
            "∓": [.command("mp")],
            "√": [.command("sqrt")], "π": [.command("pi")], "∞": [.symbol("\\infty")],
            "°": [.sign("°")], "º": [.sign("°")], "≤": [.sign("≤")], "≥": [.sign("≥")],
            "≠": [.sign("≠")], "∈": [.sign("∈")], "∪": [.sign("∪")], "≈": [.sign("≈")],
            "∖": [.sign("∖")], "∩": [.sign("∩")], "ℝ": [.symbol("\\reals")],
            "∅": [.symbol("\\emptyset")],
            "θ": [.symbol("\\theta")], "α": [.symbol("\\alpha")], "β": [.symbol("\\beta")],
            "λ": [.symbol("\\lambda")], "ω": [.symbol("\\omega")], "φ": [.symbol("\\phi")],
            "€": [.currency("euro")], "£": [.currency("pound sterling")], "¥": [.currency("yen")],
            "₹": [.currency("rupee")], "$": [.currency("dollar")], "¢": [.word("cents")],
        ]
        for (digit, sign) in zip(0..., "⁰¹²³⁴⁵⁶⁷⁸⁹".unicodeScalars) {
            let literal = NumberLiteral(digits: Array(String(digit).utf8))
            table[sign] = [.sign("^"), .number(literal)]
        }
        let fractions: [(Unicode.Scalar, String, String)] = [
            ("½", "1", "2"), ("⅓", "1", "3"), ("⅔", "2", "3"), ("¼", "1", "4"), ("¾", "3", "4"),
        ]
        for (sign, top, bottom) in fractions {
            table[sign] = [
                .command("frac"), .number(NumberLiteral(digits: Array(top.utf8))),
                .number(NumberLiteral(digits: Array(bottom.utf8))),
            ]
        }
        return table
    }()
}
