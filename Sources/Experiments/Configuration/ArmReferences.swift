/// Checks what arms say of each other.
struct ArmReferences {
    /// All arms, in the order of the file.
    let arms: [Arm]

    /// Notes every name that leads nowhere, and every arm that would wait for itself.
    func check(_ report: ConfigurationReport) {
        for (index, arm) in arms.enumerated() {
            checkStudent(of: arm, earlier: arms[..<index], report)
            checkMatching(of: arm, report)
            checkRollouts(of: arm, report)
        }
    }

    private func checkStudent(
        of arm: Arm,
        earlier: ArraySlice<Arm>,
        _ report: ConfigurationReport
    ) {
        guard let name = arm.student else { return }
        let place = "arms.\(arm.name).student"
        guard arm.kind != .base else {
            report.add(place, "an arm of kind base trains nothing; expected no student")
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
            if other.student != nil && other.name != arm.name && arm.student == nil {
                report.add(
                    "\(place).arms",
                    "'\(name)' starts from a trained student, so its traces come too late"
                )
            }
        }
    }

    private func checkRollouts(of arm: Arm, _ report: ConfigurationReport) {
        guard arm.kind == .onPolicy, let name = arm.onPolicy.traces,
            arms.first(where: { $0.name == name })?.isSelected != true
        else { return }
        report.add(
            "arms.\(arm.name).onPolicy.traces",
            "found '\(name)'; expected an arm that is trained on traces: "
                + arms.filter(\.isSelected).map(\.name).joined(separator: ", ")
        )
    }
}
