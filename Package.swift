// swift-tools-version: 6.1
import PackageDescription

let argumentParser = Target.Dependency.product(
    name: "ArgumentParser",
    package: "swift-argument-parser"
)
let collections = Target.Dependency.product(name: "Collections", package: "swift-collections")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")

/// Test targets are named after what they test and see its internals.
func tests(_ target: String, _ more: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: "\(target)Tests",
        dependencies: [.init(stringLiteral: target)] + more,
        resources: [.copy("Fixtures")]
    )
}

let package = Package(
    name: "rsd",
    products: [
        .executable(name: "rsd-generate", targets: ["Generate"]),
        .executable(name: "rsd-train", targets: ["Train"]),
        .executable(name: "rsd-evaluate", targets: ["Evaluate"]),
        .library(name: "Autograd", targets: ["Autograd", "Basics", "Kernels"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // C libraries and kernels.
        .systemLibrary(name: "COpenBLAS", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(
            name: "CHDF5",
            pkgConfig: "hdf5-serial",
            providers: [.apt(["libhdf5-dev"])]
        ),
        .target(name: "CKernels"),

        // Numbers, files, text.
        .target(name: "Basics", dependencies: ["CKernels"]),
        .target(name: "Kernels", dependencies: ["CKernels", "COpenBLAS", "Basics"]),
        .target(name: "Autograd", dependencies: ["Basics", "Kernels"]),
        .target(name: "Checkpoints", dependencies: ["CHDF5", "Basics", "Kernels", "Tokenizers"]),
        .target(name: "Tokenizers", dependencies: ["Basics", "ChatTemplates", collections]),
        .target(name: "ChatTemplates", dependencies: ["Basics"]),

        // What lies between the stages.
        .target(name: "Grading"),
        .target(name: "Records", dependencies: ["Basics", "ChatTemplates", "Grading"]),

        // Models and what is done with them.
        .target(
            name: "Models",
            dependencies: ["Autograd", "Checkpoints", "Basics", "Kernels", "Tokenizers"]
        ),
        .target(
            name: "Decoding",
            dependencies: ["Autograd", "Basics", "Kernels", "Models", "Records"]
        ),
        .target(name: "Statistics", dependencies: ["Basics"]),
        .target(
            name: "Experiments",
            dependencies: [
                "Basics", "ChatTemplates", "Checkpoints", "Decoding", "Grading", "Kernels",
                "Models",
                "Records", "Tokenizers", .product(name: "Yams", package: "Yams"),
            ]
        ),

        // What the stages do.
        .target(
            name: "Tracing",
            dependencies: [
                "Basics", "Decoding", "Experiments", "Grading", "Kernels", "Models", "Records",
                "Statistics", "Tokenizers",
            ]
        ),
        .target(
            name: "Training",
            dependencies: [
                "Autograd", "Basics", "ChatTemplates", "Checkpoints", "Decoding", "Experiments",
                "Grading",
                "Kernels", "Models", "Records", "Tokenizers",
            ]
        ),
        .target(
            name: "Scoring",
            dependencies: [
                "Basics", "Decoding", "Experiments", "Grading", "Kernels", "Models",
                "Records", "Statistics",
            ]
        ),
        .target(
            name: "Reports",
            dependencies: [
                "Basics", "Checkpoints", "Experiments", "Grading", "Records", "Scoring",
                "Statistics", mustache,
            ],
            resources: [.embedInCode("Page/Templates")]
        ),

        // The three programs, and what they share.
        .target(
            name: "Programs",
            dependencies: ["Basics", "Experiments", "Models", argumentParser]
        ),
        .executableTarget(
            name: "Generate",
            dependencies: [
                "Basics", "Experiments", "Models", "Programs", "Records", "Tracing", "Training",
                argumentParser,
            ]
        ),
        .executableTarget(
            name: "Train",
            dependencies: [
                "Basics", "Checkpoints", "Experiments", "Kernels", "Models", "Programs",
                "Tokenizers", "Training", argumentParser,
            ]
        ),
        .executableTarget(
            name: "Evaluate",
            dependencies: [
                "Basics", "ChatTemplates", "Experiments", "Grading", "Models", "Programs",
                "Reports", "Scoring", "Tokenizers", "Training", argumentParser,
            ]
        ),

        // One test target a room.
        .target(
            name: "TestSupport",
            dependencies: ["Autograd", "Basics", "Kernels"],
            path: "Tests/TestSupport"
        ),
        tests("Basics", ["TestSupport"]),
        tests("Kernels", ["TestSupport", "Basics"]),
        tests("Autograd", ["TestSupport", "Basics", "Kernels"]),
        tests("Checkpoints", ["TestSupport", "Basics", "Kernels", "Models"]),
        tests("Tokenizers", ["TestSupport", "ChatTemplates", "Checkpoints", "Basics", "Models"]),
        tests("ChatTemplates", ["Basics"]),
        tests("Models", ["TestSupport", "Autograd", "Checkpoints", "Kernels", "Tokenizers"]),
        tests("Decoding", ["TestSupport", "Basics", "Kernels", "Models", "Records"]),
        tests("Grading", ["TestSupport"]),
        tests("Records", ["TestSupport", "Basics", "ChatTemplates", "Grading"]),
        tests("Experiments", ["TestSupport", "ChatTemplates", "Checkpoints", "Basics", "Models"]),
        tests("Statistics", ["TestSupport", "Basics"]),
        tests(
            "Tracing",
            [
                "TestSupport", "Basics", "ChatTemplates", "Checkpoints", "Decoding", "Experiments",
                "Grading", "Kernels", "Models", "Records", "Scoring", "Tokenizers",
            ]
        ),
        tests(
            "Training",
            [
                "TestSupport", "Autograd", "Checkpoints", "Decoding", "Records", "Experiments",
                "Basics", "Kernels", "Models", "Tokenizers",
            ]
        ),
        // A whole experiment of random models, for the tests of what comes after training.
        .target(
            name: "ExperimentSupport",
            dependencies: [
                "Basics", "Checkpoints", "Experiments", "Models", "Records", "Scoring",
                "Tokenizers",
            ],
            path: "Tests/ExperimentSupport"
        ),
        tests("Scoring", ["ExperimentSupport", "TestSupport"]),
        tests("Reports", ["ExperimentSupport", "TestSupport"]),
        tests(
            "Evaluate",
            ["ExperimentSupport", "Programs", "Scoring", "TestSupport", argumentParser]
        ),
        // Damaged files of every format; see Tools/fuzz.py.
        .testTarget(
            name: "FuzzTests",
            dependencies: [
                "TestSupport", "Basics", "ChatTemplates", "Checkpoints", "Experiments", "Grading",
                "Kernels", "Models", "Records", "Reports", "Scoring", "Tokenizers", "Training",
            ]
        ),
        .testTarget(
            name: "CommandTests",
            dependencies: ["TestSupport", "Basics", "Programs", "Generate", "Train", "Evaluate"],
            resources: [.copy("Fixtures")]
        ),
    ]
)
