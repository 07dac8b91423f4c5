import Basics
import Records

/// A sample trace as the template reads it: runs of tokens with who wrote them and how likely.
struct SampleTraceView {
    /// The trace.
    let sample: SampleTrace
    /// Its place in the report, from 1.
    let number: Int
    /// How arms are drawn.
    let palette: Palette

    /// What the template names.
    var view: [String: Any] {
        let tokens = sample.tokens
        let fromStudent = tokens.count { $0.writer == .student }
        let low = tokens.count { isLow($0) }
        return [
            "number": number,
            "arm": sample.arm,
            "swatch": palette.swatch(of: sample.arm),
            "problem": sample.problem,
            "hasAnswer": !sample.answer.isEmpty,
            "answer": sample.answer,
            "note": "\(NumberText.counted(tokens.count, "token")), "
                + "\(NumberText.count(fromStudent)) by the student, "
                + "\(NumberText.count(low)) with P_S below 1 %",
            "isFirst": number == 1,
            "hasTokens": !tokens.isEmpty,
            "tokens": tokens.enumerated().map { index, token in
                [
                    "classes": classes(token),
                    "text": visible(token.text),
                    "note": note(token),
                    "stop": index == 0 ? "0" : "-1",
                ]
            },
            "tableRows": tokens.enumerated().map { index, token in
                [
                    "position": NumberText.count(index + 1),
                    "text": visible(token.text),
                    "writer": token.writer.name,
                    "student": NumberText.share(token.studentProbability),
                    "teacher": NumberText.share(token.teacherProbability),
                ]
            },
        ]
    }

    private func isLow(_ token: SampleTrace.Token) -> Bool {
        token.studentProbability.map { $0 < 0.01 } ?? false
    }

    private func classes(_ token: SampleTrace.Token) -> String {
        "token " + token.writer.name + (isLow(token) ? " low" : "")
    }

    /// Line breaks and tabs as signs in front of themselves, because they are tokens too.
    private func visible(_ text: String) -> String {
        text.replacingScalars(["\n": "↵\n", "\r": "␍", "\t": "⇥\t"])
    }

    /// "“ Wait”, written by the teacher; P_S 0.02 %, P_T 41 %".
    private func note(_ token: SampleTrace.Token) -> String {
        var text = "“\(visible(token.text))”, written by the \(token.writer.name)"
        let known = [
            token.studentProbability.map { "P_S \(NumberText.share($0))" },
            token.teacherProbability.map { "P_T \(NumberText.share($0))" },
        ].compactMap(\.self)
        if !known.isEmpty { text += "; " + known.joined(separator: ", ") }
        return text
    }
}
