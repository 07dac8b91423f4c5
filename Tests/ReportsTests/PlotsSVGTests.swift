import Foundation
import Testing

@testable import Reports
@testable import Scoring
@testable import Statistics

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// What an XML parser makes of a text.
final class ParsedXML: NSObject, XMLParserDelegate {
    /// The elements' names with their attributes, in order.
    private(set) var elements: [(name: String, attributes: [String: String])] = []
    /// All text between tags.
    private(set) var text = ""
    /// The parser's complaint, or nil.
    private(set) var error: String?

    private var open: [String] = []

    init(_ xml: String) {
        super.init()
        let parser = XMLParser(data: Data(xml.utf8))
        parser.delegate = self
        let isWhole = parser.parse()
        // The parser on Linux recovers from some mistakes and then says that all is well.
        if !isWhole || !open.isEmpty {
            error = error ?? "line \(parser.lineNumber): not closed: \(open)"
        }
    }

    func parser(
        _ parser: XMLParser,
        didStartElement name: String,
        namespaceURI: String?,
        qualifiedName: String?,
        attributes: [String: String]
    ) {
        elements.append((name, attributes))
        open.append(name)
    }

    func parser(
        _ parser: XMLParser,
        didEndElement name: String,
        namespaceURI: String?,
        qualifiedName: String?
    ) {
        if open.last == name { open.removeLast() } else { error = "</\(name)> closes \(open)" }
    }

    func parser(_ parser: XMLParser, parseErrorOccurred failure: any Error) {
        error = "line \(parser.lineNumber): \(failure)"
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
}

@Suite struct PlotsSVGTests {
    @Test func checkerRefusesWhatIsNotWellFormed() {
        #expect(ParsedXML("<a>&</a>").error != nil)
        #expect(ParsedXML("<a><b></a>").error != nil)
        #expect(ParsedXML("<a b='1'/>").error == nil)
    }

    @Test func elementsEscapeAndNest() {
        let element = SVGElement(
            "g",
            ["id": "a\"<", "x": 1.0, "y": -0.001, "z": 2.345, "w": Double.nan],
            children: [.label("x < y & 'z' > \u{7}", x: 1, y: 2)]
        )
        #expect(
            element.markup == """
                <g id="a&quot;&lt;" x="1" y="0" z="2.35" w="0">
                <text x="1" y="2" text-anchor="start" font-size="13">\
                x &lt; y &amp; &#39;z&#39; &gt; \u{FFFD}</text>
                </g>
                """
        )
    }

    @Test func hostileLabelsStayText() throws {
        for model in [ReportExample.realistic(), ReportExample.hostile()] {
            let plots = ReportPlots(model).all
            #expect(plots.count == 13)
            for plot in plots {
                let parsed = ParsedXML(plot.svg)
                #expect(parsed.error == nil, "\(plot.name)")
                #expect(!parsed.elements.contains { $0.name == "b" || $0.name == "script" })
                let root = try #require(parsed.elements.first)
                #expect(root.name == "svg" && root.attributes["role"] == "img")
                let ids = parsed.elements.compactMap { $0.attributes["id"] }
                #expect(root.attributes["aria-labelledby"] == ids.joined(separator: " "))
                #expect(parsed.elements[1].name == "title" && parsed.elements[2].name == "desc")
            }
        }
    }

    @Test func hostilePlotsShowTheWholeName() {
        let parsed = ParsedXML(ReportPlots(ReportExample.hostile()).all[1].svg)
        #expect(parsed.text.contains(#"rsd<b a='1' b="2">&amp;</b>"#))
    }

    @Test func textIsLargeEnoughAndInsideThePicture() throws {
        for plot in ReportPlots(ReportExample.realistic()).all {
            let parsed = ParsedXML(plot.svg)
            let box = try #require(parsed.elements.first?.attributes["viewBox"])
                .split(separator: " ").compactMap { Double($0) }
            for element in parsed.elements where element.name == "text" {
                let size = try #require(Double(element.attributes["font-size"] ?? ""))
                let x = try #require(Double(element.attributes["x"] ?? ""))
                let y = try #require(Double(element.attributes["y"] ?? ""))
                #expect(size >= 12)
                #expect(x >= box[0] && x <= box[0] + box[2], "\(plot.name): x \(x)")
                #expect(y >= box[1] && y <= box[1] + box[3], "\(plot.name): y \(y)")
            }
        }
    }

    @Test func anArmHasOneColourEverywhere() {
        let model = ReportExample.realistic()
        let color = Palette(model).style(of: "rsd").color
        for plot in ReportPlots(model).all where plot.name != "sweep-2" {
            let groups = ParsedXML(plot.svg).elements.filter {
                $0.attributes["class"] == Palette(model).style(of: "rsd").role
            }
            #expect(!groups.isEmpty, "\(plot.name)")
            #expect(groups.allSatisfy { $0.attributes["color"] == color }, "\(plot.name)")
        }
    }

    @Test func missingAndBrokenNumbersDrawNothingWrong() {
        for (name, model) in ReportExample.edgeCases() {
            for plot in ReportPlots(model).all {
                let parsed = ParsedXML(plot.svg)
                #expect(parsed.error == nil, "\(name), \(plot.name)")
                let values = parsed.elements.flatMap { $0.attributes.values }
                #expect(
                    !values.contains { $0.contains("nan") || $0.contains("inf") },
                    "\(name), \(plot.name)"
                )
            }
        }
        let names = ReportExample.edgeCases().map { ReportPlots($0.model).all.map(\.name) }
        #expect(names[0] == [])
        #expect(names[1] == ["accuracy"])
        #expect(names[2] == [])
        let traces = ["improbable-by-position", "refused-by-position"]
        #expect(
            names[3]
                == ["accuracy", "questions", "costs", "shares", "acceptance", "probabilities"]
                + traces + ["curve"]
        )
        #expect(
            names[4] == ["questions", "shares", "acceptance"] + traces + [
                "curve", "sweep-1", "sweep-2",
            ]
        )
    }

    @Test func longCurvesAreThinnedByMeans() {
        let points = (1...1000).map { ReportModel.LossPoint(step: $0, loss: Double($0)) }
        let thinned = LossFiles.thinned(points)
        #expect(thinned.count == 200)
        #expect(thinned[0] == .init(step: 3, loss: 3))
        #expect(thinned[199] == .init(step: 998, loss: 998))
    }
}
