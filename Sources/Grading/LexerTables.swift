/// The spellings the lexer knows.
enum LexerTables {
    /// Characters that stand for themselves.
    static let signs = Set<Unicode.Scalar>("+-*/^_=<>()[]{}|,;:!%&".unicodeScalars)

    /// Commands without meaning for a value: space, size, style, and "\left" with its kin.
    static let dropped: Set<String> = [
        "left", "right", "big", "Big", "Bigg", "bigl", "bigr", "Bigl", "Bigr",
        "displaystyle",
        "textstyle", "quad", "qquad", "limits", "nolimits", "thinspace", "hfill",
        "medspace", "enspace", "hskip", "normalsize", "large", "Large", "small", "tt", "nonumber",
        "thickspace", "negthinspace", "nobreak", "blacksquare", "qed", "qedsymbol",
        "bigg", "biggl", "biggr", "Biggl", "Biggr", "middle", "rm", "bf", "it", "mathstrut",
    ]

    /// Commands that show nothing of their argument, or only colour what follows.
    static let droppedWithArgument: Set<String> = [
        "phantom", "hphantom", "vphantom", "hspace", "vspace", "sout", "label", "tag", "color",
        "textcolor",
        "colorbox",
    ]

    /// Environments that lay out lines of formulas.
    static let layouts: Set<String> = [
        "aligned", "align", "align*", "equation", "equation*", "gathered", "gather", "gather*",
        "split",
    ]

    /// Letters of two forms, under one name.
    static let variants = [
        "varepsilon": "epsilon", "vartheta": "theta", "varphi": "phi", "varrho": "rho",
        "varsigma": "sigma", "varkappa": "kappa",
    ]

    /// Words that may open an answer and belong to it.
    static let prefixes: Set<String> = [
        "at", "more", "less", "fewer", "greater", "over", "under", "no", "not", "minus", "negative",
        "about", "approximately", "exactly", "only", "roughly", "around", "up", "ratio", "a", "an",
        "half", "larger", "smaller", "positive", "plus", "just", "than", "least", "most", "of",
        "between", "either", "base", "the", "above", "below",
    ]

    /// Greek names as plain words, by the letter they name.
    static let greekNames: [String: String] = {
        var table: [String: String] = [:]
        for name in letters.subtracting([
            "prime", "square", "triangle", "angle", "partial", "dots",
            "ldots", "cdots", "odot", "infty", "ell", "nabla", "hbar", "emptyset", "top",
            "intercal", "dagger",
        ]) {
            table[name] = "\\" + (variants[name] ?? name)
        }
        return table
    }()

    /// Commands whose braces hold text or a font change.
    static let wrappers: Set<String> = [
        "text", "textbf", "textit", "textrm", "textnormal", "textsf", "texttt", "textsc", "textup",
        "mbox", "hbox", "mathrm", "mathbf", "mathtt", "mathscr", "mathfrak", "underline",
        "mathit", "mathsf", "mathcal", "mathbb", "bm", "boldsymbol", "operatorname", "boxed",
        "fbox", "mathord", "emph",
    ]

    /// Commands that name a letter without a value.
    static let letters: Set<String> = [
        "alpha", "beta", "gamma", "delta", "epsilon", "varepsilon", "zeta", "eta", "theta",
        "vartheta", "iota", "kappa", "lambda", "mu", "nu", "xi", "rho", "sigma", "tau", "upsilon",
        "phi", "varphi", "varrho", "varsigma", "varkappa", "chi", "psi", "omega", "Gamma", "Delta",
        "Theta", "Lambda", "Xi", "Sigma",
        "Phi", "Psi", "Omega", "infty", "hbar", "ell", "emptyset", "triangle",
        "prime", "odot", "angle", "top", "intercal", "dagger", "ldots", "dots", "cdots", "square",
        "nabla", "partial", "Pi",
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
            "approx": .sign("≈"), "simeq": .sign("≈"), "equiv": .sign("≡"), "notin": .sign("∉"),
            "in": .sign("∈"),
            "cup": .sign("∪"),
            "bigcup": .sign("∪"), "cap": .sign("∩"), "setminus": .sign("∖"),
            "backslash": .sign("∖"), "lor": .sign("∨"), "vee": .sign("∨"), "land": .sign("∧"),
            "wedge": .sign("∧"), "lVert": .sign("‖"), "rVert": .sign("‖"), "Vert": .sign("‖"),
            "leqq": .sign("≤"), "geqq": .sign("≥"),
            "reals": .symbol("\\reals"),
            "varnothing": .symbol("\\emptyset"),
            "lvert": .sign("|"), "rvert": .sign("|"), "vert": .sign("|"), "mid": .sign("|"),
            "to": .sign("→"), "rightarrow": .sign("→"), "longrightarrow": .sign("→"),
            "lbrack": .sign("["), "rbrack": .sign("]"), "langle": .sign("("), "rangle": .sign(")"),
            "degree": .command("circ"), "colon": .sign(":"),
            "pounds": .currency("pound sterling"), "euro": .currency("euro"),
            "log": .command("ln"), "asin": .command("arcsin"), "acos": .command("arccos"),
            "atan": .command("arctan"), "ceil": .command("ceil"), "floor": .command("floor"),
        ]
        for name in [
            "frac", "binom", "sqrt", "circ", "pi", "lbrace", "rbrace", "lfloor", "rfloor", "lceil",
            "rceil", "sum", "prod", "int", "iint", "oint", "lim", "gcd", "lcm", "max", "min", "det",
            "Pr", "inf", "sup", "sgn", "Re", "Im", "arg", "deg", "ker", "dim", "hom", "Tr", "Var",
            "sin", "cos", "tan", "csc", "sec", "cot", "arcsin", "arccos", "arctan", "sinh",
            "cosh", "tanh", "exp", "ln", "lg", "choose", "over", "cis",
        ] {
            table[name] = .command(name)
        }
        return table
    }()

    /// Words outside LaTeX with a meaning, in small letters.
    static let words: [String: Token] = {
        var table: [String: Token] = [
            "and": .sign("∧"), "or": .sign("∨"), "infinity": .symbol("\\infty"),
            "infty": .symbol("\\infty"), "inf": .symbol("\\infty"), "oo": .symbol("\\infty"),
            "abs": .command("abs"), "union": .sign("∪"), "theta": .symbol("\\theta"),
            "usd": .word("usd"), "lim": .command("lim"), "gcd": .command("gcd"),
            "lcm": .command("lcm"),
            "max": .command("max"), "min": .command("min"), "det": .command("det"),
            "hbar": .symbol("\\hbar"),
        ]
        for name in [
            "sqrt", "pi", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "asin", "acos", "atan",
            "exp", "ln", "log", "floor", "ceil", "cis", "sinh", "cosh", "tanh", "csc", "sec", "cot",
        ] {
            table[name] = commands[name]
        }
        for (name, letter) in greekNames where name.utf8.count > 2 {
            if name == name.lowercased() { table[name] = .symbol(letter) }
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
