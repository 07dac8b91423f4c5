import Testing

@testable import Reports
@testable import Scoring
@testable import Statistics

@Suite struct PlotsScaleTests {
    static let ticks: [(low: Double, high: Double, count: Int, expected: [Double])] = [
        (0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 100, 4, [0, 50, 100]),
        (0, 100, 5, [0, 20, 40, 60, 80, 100]),
        (-0.31, 0.18, 7, [-0.3, -0.2, -0.1, 0, 0.1]),
        (3, 3, 5, [3]),
        (0.37, 0.39, 1, [0.38]),
        (1e20, 1e20 + 65536, 2, [1e20, 1e20 + 50000]),
        (-.infinity, .infinity, 5, []),
    ]

    @Test(arguments: ticks)
    func marksRoundValues(_ row: (low: Double, high: Double, count: Int, expected: [Double])) {
        let found = Ticks.linear(over: row.low...row.high, about: row.count)
        #expect(found.count == row.expected.count, "\(found)")
        for (value, expected) in zip(found, row.expected) {
            #expect(abs(value - expected) <= 1e-12 * max(1, abs(expected)), "\(found)")
        }
    }

    static let logarithmicTicks: [(low: Double, high: Double, count: Int, expected: [Double])] = [
        (0.001, 1, 4, [0.001, 0.01, 0.1, 1]),
        (0.5, 20, 6, [0.5, 1, 2, 5, 10, 20]),
        (1e-6, 1, 4, [1e-6, 1e-4, 1e-2, 1]),
        (0, 1, 4, []),
        (2, 2, 4, [2]),
    ]

    @Test(arguments: logarithmicTicks)
    func marksRoundPowers(_ row: (low: Double, high: Double, count: Int, expected: [Double])) {
        let found = Ticks.logarithmic(over: row.low...row.high, about: row.count)
        #expect(found.count == row.expected.count, "\(found)")
        for (value, expected) in zip(found, row.expected) {
            #expect(abs(value / expected - 1) <= 1e-12, "\(found)")
        }
    }

    @Test func scalesMapEndsAndMiddle() {
        let linear = Scale(domain: -1...3, start: 10, end: 50)
        #expect([-1, 1, 3, 5].map { linear.position(of: $0) } == [10, 30, 50, 70])
        #expect(linear.clampedPosition(of: 5) == 50)
        let upwards = Scale(domain: 0...1, start: 200, end: 100)
        #expect(upwards.position(of: 0.25) == 175)
        let logarithmic = Scale(kind: .logarithmic, domain: 0.01...1, start: 0, end: 100)
        #expect(abs(logarithmic.position(of: 0.1) - 50) < 1e-9)
        #expect(Scale(domain: 2...2, start: 0, end: 10).position(of: 2) == 5)
    }

    @Test func roundDomainsHoldTheirValues() {
        for values in [
            [0.115, 0.739], [-0.31, 0.18], [5], [0], [-3, -2.9], [1e-9, 2e-9], [1e9],
        ] {
            let domain = Ticks.roundDomain(values, about: 5)
            #expect(values.allSatisfy(domain.contains), "\(values): \(domain)")
            #expect(domain.lowerBound < domain.upperBound, "\(values): \(domain)")
        }
        #expect(Ticks.roundDomain([0.11, 0.74], about: 4) == 0...0.8)
        #expect(Ticks.roundDomain([0.02], including: [0], about: 4).lowerBound == 0)
        #expect(Ticks.roundDomain([.nan, .infinity], about: 4, fallback: 1...2) == 1...2)
    }

    static let labels: [(ReportModel.AxisFormat, Double, String)] = [
        (.plain, 0.25, "0.25"), (.plain, -8, "−8"), (.plain, 0, "0"),
        (.plain, 50000, "50\u{202F}000"), (.percent, 0.2, "20"), (.percent, 0.003, "0.3"),
        (.percent, 0.0001, "0.01"), (.points, 0.1, "+10"), (.points, -0.05, "−5"),
        (.points, 0, "0"),
        (.plain, .nan, "–"),
    ]

    @Test(arguments: labels)
    func labelsTicks(_ row: (format: ReportModel.AxisFormat, value: Double, text: String)) {
        #expect(row.format.text(row.value) == row.text)
    }

    @Test func armsKeepTheirStyle() {
        let names = (1...12).map { "arm \($0)" }
        let palette = Palette(arms: ["base"] + names + names, base: "base")
        let styles = names.map { palette.style(of: $0) }
        #expect(palette.style(of: "base").role == "series-base")
        #expect(styles[0].color == Palette.colors[0])
        for first in styles.indices {
            for second in styles.indices where second > first {
                #expect(styles[first] != styles[second])
            }
        }
    }
}
