/// Checks what arms say of each other.
struct ArmReferences {
    /// All arms, in the order of the file.
    let arms: [Arm]

    /// Notes every name that leads nowhere, and every arm that would wait for itself.
    func check(_ report: ConfigurationReport) {
        for (index, arm) in arms.enumerated() {
            check("student", arm.student, of: arm, earlier: arms[..<index], report)
            check("teacher", arm.teacher, of: arm, earlier: arms[..<index], report)
            checkTeacher(of: arm, report)
            checkMatching(of: arm, report)
            checkRollouts(of: arm, report)
            checkFallback(of: arm, report)
        }
    }

    /// Notes a name that is not that of an earlier arm with a student.
    private func check(
        _ key: String,
        _ name: String?,
        of arm: Arm,
        earlier: ArraySlice<Arm>,
        _ report: ConfigurationReport
    ) {
        guard let name else { return }
        let place = "arms.\(arm.name).\(key)"
        guard arm.kind != .base else {
            report.add(place, "an arm of kind base trains nothing; expected no \(key)")
            return
        }
        let known = earlier.filter { $0.kind != .base }.map(\.name)
        guard !known.contains(name) else { return }
        report.add(
            place,
            "found '\(name)'; expected an arm that comes before this one and trains something"
                + (known.isEmpty ? "" : ": \(known.joined(separator: ", "))")
        )
    }

    /// Notes a teacher that nobody asks, and two students at once.
    private func checkTeacher(of arm: Arm, _ report: ConfigurationReport) {
        if arm.teacher != nil && arm.kind != .base && !arm.asksTeacher {
            report.add(
                "arms.\(arm.name).teacher",
                "neither its traces nor its objective ask a teacher; expected no teacher"
            )
        }
        if arm.student != nil && arm.model != .student {
            report.add(
                "arms.\(arm.name).model",
                "found \(arm.model.rawValue) beside student, which says what is trained already; "
                    + "expected one of the two"
            )
        }
    }

    /// The arms that have to be trained before an arm's traces can be made.
    private func trained(before name: String, _ found: inout Set<String>) {
        guard let arm = arms.first(where: { $0.name == name }) else { return }
        for forerunner in arm.forerunners where found.insert(forerunner).inserted {
            trained(before: forerunner, &found)
            let others = arms.first { $0.name == forerunner }?.companions ?? []
            for other in others { trained(before: other, &found) }
        }
    }

    /// Notes where an arm takes traces that wait for its own student.
    private func checkWait(
        of arm: Arm,
        for name: String,
        _ key: String,
        _ report: ConfigurationReport
    ) {
        var earlier: Set<String> = []
        trained(before: name, &earlier)
        guard earlier.contains(arm.name) else { return }
        report.add(
            "arms.\(arm.name).\(key)",
            "the traces of '\(name)' wait for the student of '\(arm.name)'"
        )
    }

    private func checkFallback(of arm: Arm, _ report: ConfigurationReport) {
        guard let name = arm.selection.fallback, arm.isSelected else { return }
        let place = "arms.\(arm.name).selection.fallback"
        let known = arms.filter { $0.isGenerated && $0.selection.fallback == nil }.map(\.name)
        guard arm.isGenerated, known.contains(name) else {
            report.add(
                place,
                arm.isGenerated
                    ? "found '\(name)'; expected an arm that makes its own traces and has no fallback: "
                        + known.joined(separator: ", ")
                    : "found '\(name)' for traces from elsewhere, which have no tries; expected none"
            )
            return
        }
        checkWait(of: arm, for: name, "selection.fallback", report)
    }

    private func checkMatching(of arm: Arm, _ report: ConfigurationReport) {
        guard let matching = arm.matching else { return }
        let place = "arms.\(arm.name).match"
        guard arm.isSelected else {
            report.add(place, "an arm of kind \(arm.kind.rawValue) has no data to match")
            return
        }
        for name in matching.arms {
            guard let other = arms.first(where: { $0.name == name }), other.isSelected else {
                let known = arms.filter(\.isSelected).map(\.name)
                report.add(
                    "\(place).arms",
                    "found '\(name)'; expected arms that are trained on traces: "
                        + known.joined(separator: ", ")
                )
                continue
            }
            // Its traces are made only after others have been trained.
            if let first = other.forerunners.first, other.name != arm.name, arm.forerunners.isEmpty
            {
                report.add(
                    "\(place).arms",
                    other.student == nil
                        ? "'\(name)' is taught by '\(first)', so its traces come too late"
                        : "'\(name)' starts from a trained student, so its traces come too late"
                )
                continue
            }
            checkWait(of: arm, for: name, "match.arms", report)
        }
    }

    private func checkRollouts(of arm: Arm, _ report: ConfigurationReport) {
        guard arm.kind == .onPolicy, let name = arm.onPolicy.traces else { return }
        guard arms.first(where: { $0.name == name })?.isSelected != true else {
            checkWait(of: arm, for: name, "onPolicy.traces", report)
            return
        }
        report.add(
            "arms.\(arm.name).onPolicy.traces",
            "found '\(name)'; expected an arm that is trained on traces: "
                + arms.filter(\.isSelected).map(\.name).joined(separator: ", ")
        )
    }
}
