import Foundation
import Testing

@testable import Basics

@Suite struct ElementaryTests {
    static let functions: [String: @Sendable (Double) -> Double] = [
        "exp": Elementary.exp, "log": Elementary.log, "log1p": Elementary.log1p,
        "log10": Elementary.log10, "sin": Elementary.sin, "cos": Elementary.cos,
    ]

    /// The bounds that doc comments state, in units of the last place.
    static let bounds = [
        "exp": 0.53, "log": 0.51, "log1p": 0.67, "log10": 0.51, "sin": 0.82, "cos": 0.82,
        "pow": 0.68,
    ]

    @Test func agreesWithExactValues() throws {
        let url = Bundle.module.bundleURL.appending(path: "Fixtures/elementary.tsv")
        let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n").dropFirst()
        #expect(lines.count > 500)
        for line in lines {
            let fields = line.split(separator: "\t")
            let name = String(fields[0])
            let numbers = try fields.dropFirst().map {
                Double(bitPattern: try #require(UInt64($0, radix: 16)))
            }
            let (high, low) = (numbers[numbers.count - 2], numbers[numbers.count - 1])
            let function = Self.functions[name] ?? { Elementary.pow($0, numbers[1]) }
            let value = function(numbers[0])
            let stated = try #require(Self.bounds[name])
            let bound = high.isNormal ? stated : 0.76
            #expect(abs((value - high) - low) <= bound * high.ulp, "\(line): \(value)")
        }
    }

    @Test func specialValues() {
        let (infinity, least) = (Double.infinity, Double.leastNonzeroMagnitude)
        let cases: [(String, Double, Double)] = [
            ("exp", 0, 1), ("exp", -0.0, 1), ("exp", infinity, infinity), ("exp", -infinity, 0),
            ("exp", 709.79, infinity), ("exp", -745.2, 0), ("exp", -745.13, least),
            ("exp", 1e300, infinity), ("exp", -1e300, 0), ("exp", least, 1), ("exp", .nan, .nan),
            ("log", 1, 0), ("log", 0, -infinity), ("log", -0.0, -infinity), ("log", -1, .nan),
            ("log", infinity, infinity), ("log", -infinity, .nan), ("log", .nan, .nan),
            ("log1p", 0, 0), ("log1p", -0.0, -0.0), ("log1p", least, least),
            ("log1p", -least, -least), ("log1p", -1, -infinity), ("log1p", -1.5, .nan),
            ("log1p", infinity, infinity), ("log1p", .nan, .nan),
            ("log10", 1, 0), ("log10", 0, -infinity), ("log10", -1, .nan),
            ("log10", infinity, infinity), ("log10", .nan, .nan),
            ("sin", 0, 0), ("sin", -0.0, -0.0), ("sin", least, least), ("sin", -least, -least),
            ("sin", infinity, .nan), ("sin", -infinity, .nan), ("sin", .nan, .nan),
            ("cos", 0, 1), ("cos", -0.0, 1), ("cos", least, 1), ("cos", infinity, .nan),
            ("cos", .nan, .nan),
        ]
        for (name, x, expected) in cases {
            let value = Self.functions[name]?(x) ?? 7
            #expect(isSame(value, expected), "\(name)(\(x)) = \(value)")
        }
        let powers: [(Double, Double, Double)] = [
            (0, 2, 0), (0, 0, 1), (0, -1, infinity), (1, .nan, 1), (1, infinity, 1), (.nan, 0, 1),
            (2, infinity, infinity), (2, -infinity, 0), (0.5, infinity, 0), (infinity, 2, infinity),
            (infinity, -2, 0), (.nan, 1, .nan), (2, .nan, .nan), (-2, 2, .nan), (2, 1023, 0x1p1023),
            (2, 1024, infinity), (2, -1074, least), (2, -1076, 0), (0.9, 1e300, 0), (3, 1e-320, 1),
        ]
        for (base, exponent, expected) in powers {
            let value = Elementary.pow(base, exponent)
            #expect(isSame(value, expected), "\(base)^\(exponent) = \(value)")
        }
    }

    private func isSame(_ a: Double, _ b: Double) -> Bool {
        a.isNaN ? b.isNaN : a == b && a.sign == b.sign
    }

    /// Axes and their labels count on these.
    @Test func powersOfTenAreExact() throws {
        for n in -300...300 {
            let power = try #require(Double("1e\(n)"))
            #expect(Elementary.log10(power) == Double(n))
            if abs(n) <= 30 { #expect(Elementary.pow(10, Double(n)) == power) }
        }
    }

    @Test func rootsAndNeighboursAreInOrder() {
        for (name, place) in [
            ("exp", 0.0), ("exp", -0.5), ("log", 1), ("log", 0.5.squareRoot()), ("log1p", 0),
            ("log10", 1), ("sin", 0), ("sin", 0.5),
        ] {
            guard let function = Self.functions[name] else { continue }
            var x = place - 500 * max(place.ulp, 0x1p-54)
            var last = -Double.infinity
            for _ in 0..<1000 {
                let value = function(x)
                #expect(value >= last, "\(name)(\(x))")
                (x, last) = (x.nextUp, value)
            }
        }
    }

    /// The bits of many values, and of some that can be looked at.
    ///
    /// Where these differ, a machine, a compiler or an edit has changed what all results are made with.
    @Test func bitsAreKnown() {
        #expect(Elementary.exp(1).bitPattern == 0x4005_BF0A_8B14_5769)
        #expect(Elementary.log(10).bitPattern == 0x4002_6BB1_BBB5_5516)
        #expect(Elementary.log1p(1e-9).bitPattern == 0x3E11_2E0B_E801_F1D9)
        #expect(Elementary.log10(2).bitPattern == 0x3FD3_4413_509F_79FF)
        #expect(Elementary.sin(1e6).bitPattern == 0xBFD6_664B_2568_D867)
        #expect(Elementary.cos(1e6).bitPattern == 0x3FED_F9DF_9906_D32C)
        #expect(Elementary.pow(1e6, -0.25).bitPattern == 0x3FA0_30DC_4EA0_3A72)

        let stream = RandomStream(seed: 17, name: "elementary")
        var digest = SHA256()
        for item in 0..<20_000 as Range<UInt64> {
            let u = stream.uniform(item: item, attempt: 0, position: 0, draw: 0)
            let v = stream.uniform(item: item, attempt: 0, position: 0, draw: 1)
            let scale = Double(sign: .plus, exponent: Int(item % 64) - 40, significand: 1)
            let values = [
                Elementary.exp((u - 0.5) * 1400), Elementary.log(u * scale),
                Elementary.log1p((u - 0.5) * min(scale, 1)), Elementary.log10(v * scale),
                Elementary.sin(v * scale), Elementary.cos(-u * scale),
                Elementary.pow(u * 20, (v - 0.5) * 40),
            ]
            for value in values { digest.update("\(value.bitPattern) ") }
        }
        #expect(digest.leadingBits() == 0x9BD8_A047_8810_6895)
    }
}
