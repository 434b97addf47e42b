// swift-tools-version: 6.1
import PackageDescription

// Scripts/bootstrap puts libtorch here: a checkout of its own, or a link to $LIBTORCH.
let libtorch = Context.packageDirectory + "/.libtorch/torch/lib"

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let argumentParser = Target.Dependency.product(
    name: "ArgumentParser", package: "swift-argument-parser")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let orderedCollections = Target.Dependency.product(
    name: "OrderedCollections", package: "swift-collections")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
    name: "swift-albef",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "albef", targets: ["AlbefCommand"]),
        .library(name: "Retrieval", targets: ["Retrieval"]),
        .library(name: "ALBEFTraining", targets: ["ALBEFTraining"]),
        .library(name: "ALBEF", targets: ["ALBEF"]),
        .library(name: "ImageText", targets: ["ImageText"]),
        .library(name: "Torch", targets: ["Torch"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // The command is not called `albef`: beside `ALBEF` that would be one folder on macOS.
        .executableTarget(
            name: "AlbefCommand",
            dependencies: [
                "Retrieval", "ALBEFTraining", "ALBEF", "ImageText", "Torch", argumentParser, system,
            ],
            swiftSettings: swiftSettings),
        .target(
            name: "ALBEFTraining",
            dependencies: ["ALBEF", "ImageText", "Torch", orderedCollections, system, yams],
            resources: [.embedInCode("Presets")],
            swiftSettings: swiftSettings),
        .target(
            name: "Retrieval",
            dependencies: ["ALBEF", "CVectors", "ImageText", "Torch", crypto, system],
            resources: [.copy("Models")],
            swiftSettings: swiftSettings),
        .target(
            name: "ALBEF",
            dependencies: ["Torch", orderedCollections, crypto, system],
            swiftSettings: swiftSettings),
        .target(
            name: "ImageText", dependencies: ["CImaging", system], swiftSettings: swiftSettings),
        .target(
            name: "Torch", dependencies: ["CTorch", orderedCollections, system],
            swiftSettings: swiftSettings),
        .target(
            name: "CTorch",
            cxxSettings: [
                .headerSearchPath("../../.libtorch/torch/include"),
                .headerSearchPath("../../.libtorch/torch/include/torch/csrc/api/include"),
            ],
            linkerSettings: [
                .linkedLibrary("torch_cpu"), .linkedLibrary("c10"),
                .unsafeFlags(["-L\(libtorch)", "-Xlinker", "-rpath", "-Xlinker", libtorch]),
            ]),
        .target(name: "CVectors"),
        .target(name: "CImaging", dependencies: ["CJPEG"]),
        .systemLibrary(
            name: "CJPEG", pkgConfig: "libjpeg",
            providers: [.apt(["libjpeg-dev"]), .brew(["jpeg-turbo"])]),
        .target(
            name: "TestSupport",
            dependencies: ["Retrieval", "ALBEF", "ImageText", "Torch", system],
            path: "Tests/TestSupport", swiftSettings: swiftSettings),
        .testTarget(
            name: "TorchTests", dependencies: ["Torch", orderedCollections, system],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "ImageTextTests", dependencies: ["ImageText", system],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "ALBEFTests",
            dependencies: ["TestSupport", "ALBEF", "Torch", orderedCollections, system],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "ALBEFTrainingTests",
            dependencies: [
                "TestSupport", "ALBEFTraining", "ALBEF", "ImageText", "Torch", orderedCollections,
                system,
            ],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "RetrievalTests",
            dependencies: [
                "TestSupport", "Retrieval", "ALBEF", "ImageText", "Torch", crypto, system,
            ],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "AlbefCommand", "TestSupport", "Retrieval", "ALBEFTraining", "ALBEF", "ImageText",
                "Torch", system,
            ],
            swiftSettings: swiftSettings),
    ],
    cxxLanguageStandard: .cxx20
)
