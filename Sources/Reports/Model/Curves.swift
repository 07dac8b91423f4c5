import Statistics

extension ReportModel {
    /// The training loss of one run of one arm.
    struct LossCurve: Equatable, Sendable {
        /// The arm's name.
        var arm: String
        /// Tells runs of an arm apart ("seed 3"), or empty.
        var label = ""
        /// The points in order of steps.
        var points: [LossPoint]
    }

    /// The loss at one optimizer step.
    struct LossPoint: Equatable, Sendable {
        /// The optimizer step, from 1.
        var step: Int
        /// The mean loss of a target token, nats.
        var loss: Double
    }

    /// How well an arm's students answer after some steps of their training.
    struct CurvePoint: Equatable, Sendable {
        /// The arm's name.
        var arm: String
        /// The optimizer step; the mean over the seeds for the end of training, 0 before it.
        var step: Double
        /// The benchmark; nil for the average over all of them.
        var benchmark: String?
        /// The share of right answers.
        var accuracy: Double
        /// The interval of `accuracy`.
        var interval: Interval?
        /// How many seeds have come to this step.
        var seeds: Int
    }

    /// How an outcome changes with one parameter.
    struct Sweep: Equatable, Sendable {
        /// The plot's title.
        var title: String
        /// A line that says how to read the plot, or empty.
        var note = ""
        /// The name of the horizontal axis, with its unit.
        var xLabel: String
        /// How x values are written.
        var xFormat = AxisFormat.plain
        /// Whether x is laid out by its logarithm; values that are not positive are left out then.
        var xIsLogarithmic = false
        /// The name of the vertical axis, with its unit.
        var yLabel: String
        /// How y values are written; `points` draws a line at zero.
        var yFormat = AxisFormat.points
        /// The lines; a series named after an arm has that arm's colour.
        var series: [SweepSeries]
    }

    /// How the values of an axis are written.
    enum AxisFormat: Equatable, Sendable {
        /// As they are.
        case plain
        /// A fraction, shown in per cent.
        case percent
        /// A difference of fractions, shown in percentage points with its sign.
        case points
    }

    /// One line of a sweep.
    struct SweepSeries: Equatable, Sendable {
        /// The arm's name, or another name for the legend.
        var name: String
        /// The points; they are drawn in ascending order of x.
        var points: [SweepPoint]
    }

    /// One setting of a sweep.
    struct SweepPoint: Equatable, Sendable {
        /// The parameter's value.
        var x: Double
        /// The outcome.
        var value: Double
        /// The interval of `value`.
        var interval: Interval?
    }
}
