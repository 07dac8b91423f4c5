// swift-tools-version: 6.1
import PackageDescription

let argumentParser = Target.Dependency.product(
    name: "ArgumentParser",
    package: "swift-argument-parser"
)
let collections = Target.Dependency.product(name: "Collections", package: "swift-collections")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
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
        .library(name: "Autograd", targets: ["Autograd", "Kernels"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
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
        .target(name: "Tokenizers", dependencies: ["Basics", collections]),

        // Models and what is done with them.
        .target(
            name: "Models",
            dependencies: ["Autograd", "Checkpoints", "Basics", "Kernels", "Tokenizers"]
        ),
        .target(name: "Decoding", dependencies: ["Autograd", "Basics", "Kernels", "Models"]),
        .target(name: "Grading"),
        .target(name: "Records", dependencies: ["Basics", "Grading", "Kernels"]),
        .target(
            name: "Experiments",
            dependencies: [
                "Checkpoints", "Records", "Decoding", "Basics", "Kernels", "Models", "Tokenizers",
                argumentParser, logging, .product(name: "Yams", package: "Yams"),
            ]
        ),

        // The three programs.
        .executableTarget(
            name: "Generate",
            dependencies: [
                "Records", "Decoding", "Experiments", "Basics", "Grading", "Kernels", "Models",
                "Tokenizers", argumentParser,
            ]
        ),
        .executableTarget(
            name: "Train",
            dependencies: [
                "Autograd", "Checkpoints", "Records", "Experiments", "Basics", "Kernels",
                "Models", "Tokenizers", argumentParser,
            ]
        ),
        .executableTarget(
            name: "Evaluate",
            dependencies: [
                "Checkpoints", "Records", "Decoding", "Experiments", "Basics", "Grading",
                "Kernels", "Models", "Tokenizers", argumentParser, mustache,
            ],
            resources: [.embedInCode("Report/Templates")]
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
        tests("Tokenizers", ["TestSupport", "Checkpoints", "Basics", "Models"]),
        tests("Models", ["TestSupport", "Autograd", "Checkpoints", "Kernels", "Tokenizers"]),
        tests("Decoding", ["TestSupport", "Basics", "Kernels", "Models"]),
        tests("Grading", ["TestSupport"]),
        tests("Records", ["TestSupport", "Grading"]),
        tests("Experiments", ["TestSupport", "Checkpoints", "Basics", "Models"]),
        tests("Generate", ["TestSupport"]),
        tests(
            "Train",
            [
                "TestSupport", "Autograd", "Checkpoints", "Records", "Experiments", "Basics",
                "Models", "Tokenizers",
            ]
        ),
        tests(
            "Evaluate",
            [
                "TestSupport", "Checkpoints", "Records", "Experiments", "Basics", "Kernels",
                "Models", "Tokenizers", argumentParser,
            ]
        ),
        // Damaged files of every format; see Tools/fuzz.py.
        .testTarget(
            name: "FuzzTests",
            dependencies: [
                "TestSupport", "Checkpoints", "Records", "Evaluate", "Experiments", "Basics",
                "Grading",
                "Kernels", "Models", "Tokenizers", "Train",
            ]
        ),
        .testTarget(
            name: "CommandTests",
            dependencies: ["TestSupport", "Basics", "Generate", "Train", "Evaluate"],
            resources: [.copy("Fixtures")]
        ),
    ]
)
