// swift-tools-version: 6.1
import PackageDescription

// Scripts/bootstrap puts libtorch here: a checkout of its own, or a link to $LIBTORCH.
let libtorch = Context.packageDirectory + "/.libtorch/torch/lib"

// NCCL connects processes with CUDA GPUs. It needs a libtorch for CUDA, and the folder of a CUDA
// toolkit with NCCL's headers: ALBEF_CUDA=/usr/local/cuda make build
let cuda = Context.environment["ALBEF_CUDA"]
let ncclSettings: [CXXSetting] =
    cuda.map { [.define("CT_NCCL"), .unsafeFlags(["-I\($0)/include"])] } ?? []
let ncclLibraries: [LinkerSetting] =
    cuda == nil ? [] : [.linkedLibrary("torch_cuda"), .linkedLibrary("c10_cuda")]

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

// The optimizer takes two thirds of a build's time. Commands, drawings, reports and tests call other
// modules and gain nothing from it.
let quickSettings = swiftSettings + [.unsafeFlags(["-Onone"])]

let argumentParser = Target.Dependency.product(
    name: "ArgumentParser", package: "swift-argument-parser")
let orderedCollections = Target.Dependency.product(
    name: "OrderedCollections", package: "swift-collections")
let hummingbird: [Target.Dependency] = [
    .product(name: "Hummingbird", package: "hummingbird"),
    .product(name: "HummingbirdCore", package: "hummingbird"),
    .product(name: "HTTPTypes", package: "swift-http-types"),
    .product(name: "Logging", package: "swift-log"),
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
    .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
    .product(name: "UnixSignals", package: "swift-service-lifecycle"),
]
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
// Milvus's client needs packages that take minutes to build, so that they are built, and fetched,
// only on request: `swift build --traits Milvus`.
let milvus = Set(["Milvus"])
let grpc: [Target.Dependency] = [
    .product(name: "GRPCCore", package: "grpc-swift-2", condition: .when(traits: milvus)),
    .product(
        name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport",
        condition: .when(traits: milvus)),
    .product(name: "SwiftProtobuf", package: "swift-protobuf", condition: .when(traits: milvus)),
]
let milvusRecall = Target.Dependency.target(
    name: "MilvusRecall", condition: .when(traits: milvus))
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
    name: "swift-albef",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "albef", targets: ["AlbefCommand"]),
        .executable(name: "albef-demo", targets: ["DemoProgram"]),
        .executable(name: "measure", targets: ["measure"]),
        .library(name: "RetrievalTesting", targets: ["RetrievalTesting"]),
        .library(name: "RetrievalServer", targets: ["RetrievalServer"]),
        .library(name: "MilvusRecall", targets: ["MilvusRecall"]),
        .library(name: "Retrieval", targets: ["Retrieval"]),
        .library(name: "ALBEFTraining", targets: ["ALBEFTraining"]),
        .library(name: "ALBEF", targets: ["ALBEF"]),
        .library(name: "ImageText", targets: ["ImageText"]),
        .library(name: "Downloads", targets: ["Downloads"]),
        .library(name: "TrainingReport", targets: ["TrainingReport"]),
        .library(name: "WardrobeEvaluation", targets: ["WardrobeEvaluation"]),
        .library(name: "Wardrobe", targets: ["Wardrobe"]),
        .library(name: "WeightFiles", targets: ["WeightFiles"]),
        .library(name: "Torch", targets: ["Torch"]),
    ],
    traits: [
        .trait(name: "Milvus", description: "Lets searches ask a Milvus server for candidates.")
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.2"),
        // Without its traits: one needs swift-configuration, and SwiftPM gives two of them to the
        // compiler in random order, so that every second build would compile Hummingbird again.
        .package(
            url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // The command is not called `albef`: beside `ALBEF` that would be one folder on macOS.
        .executableTarget(
            name: "AlbefCommand",
            dependencies: [
                "Demo", "CommandSupport", "RetrievalServer", "WardrobeEvaluation", "Wardrobe",
                "TrainingReport", "ALBEFTraining", "Retrieval", "Downloads", "ALBEF", "ImageText",
                "WeightFiles", "Torch", "Storage", milvusRecall, argumentParser, system,
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: quickSettings),
        // `make demo` builds this, which takes half as long as the whole command. It is not installed.
        .executableTarget(
            name: "DemoProgram", dependencies: ["Demo", "CommandSupport"],
            swiftSettings: quickSettings),
        .target(
            name: "Demo",
            dependencies: [
                "CommandSupport", "Wardrobe", "Retrieval", "ALBEF", "ImageText", "Storage",
                argumentParser, system,
            ],
            resources: [.copy("Photos")], swiftSettings: quickSettings),
        .target(
            name: "CommandSupport",
            dependencies: [
                "Retrieval", "Downloads", "ALBEF", "Torch", "Storage", argumentParser, system,
            ],
            swiftSettings: quickSettings),
        // Our side of `make bench`. It is not installed.
        .executableTarget(
            name: "measure",
            dependencies: ["ALBEFTraining", "Retrieval", "ALBEF", "ImageText", "Torch", system],
            path: "Benchmarks/Sources/measure", swiftSettings: swiftSettings),
        // The examples of Examples/library, which CommandTests run. They have public interfaces alone,
        // and other names than there, because names of targets are unique among packages.
        .executableTarget(
            name: "example-search-folder", dependencies: ["Retrieval", system],
            path: "Examples/library/Sources/search-folder", packageAccess: false,
            swiftSettings: quickSettings),
        .executableTarget(
            name: "example-train-captions",
            dependencies: ["ALBEFTraining", "Retrieval", "ImageText", system],
            path: "Examples/library/Sources/train-captions", packageAccess: false,
            swiftSettings: quickSettings),
        .executableTarget(
            name: "example-rerank-candidates", dependencies: ["Retrieval", "ALBEF", system],
            path: "Examples/library/Sources/rerank-candidates", packageAccess: false,
            swiftSettings: quickSettings),
        .target(
            name: "RetrievalTesting",
            dependencies: [
                "RetrievalServer", "Retrieval", "ALBEF", "Torch", system,
                .product(name: "Logging", package: "swift-log"),
            ],
            resources: [.embedInCode("vocabulary.txt")],
            swiftSettings: swiftSettings),
        .target(
            name: "RetrievalServer",
            dependencies: [
                "Retrieval", "ALBEF", "ImageText", "Torch", "Storage", deque, system,
            ]
                + hummingbird,
            resources: [.copy("Page"), .copy("openapi.json")],
            swiftSettings: swiftSettings),
        .target(
            name: "WardrobeEvaluation",
            dependencies: [
                "Wardrobe", "ALBEFTraining", "ALBEF", "ImageText", "Torch", "Storage", system,
            ],
            swiftSettings: quickSettings),
        .target(
            name: "Wardrobe", dependencies: ["ImageText", system],
            swiftSettings: quickSettings),
        .target(
            name: "TrainingReport",
            dependencies: ["ALBEFTraining", "ALBEF", "ImageText", "Torch", "Storage", system],
            swiftSettings: quickSettings),
        .target(
            name: "ALBEFTraining",
            dependencies: [
                "ALBEF", "ImageText", "WeightFiles", "Torch", "Storage", orderedCollections,
                system, yams,
            ],
            resources: [.embedInCode("Presets")],
            swiftSettings: swiftSettings),
        .target(
            name: "MilvusRecall", dependencies: ["Retrieval"] + grpc,
            exclude: ["Messages/milvus.proto"], swiftSettings: swiftSettings),
        .target(
            name: "Retrieval",
            dependencies: [
                "ALBEF", "CVectors", "ImageText", "WeightFiles", "Torch", "Storage", heap,
                system,
            ],
            resources: [.copy("Models")],
            swiftSettings: swiftSettings),
        .target(
            name: "Downloads",
            dependencies: ["ALBEF", "WeightFiles", "Torch", "Storage", system],
            swiftSettings: quickSettings),
        .target(
            name: "ALBEF",
            dependencies: [
                "ImageText", "WeightFiles", "Torch", "Storage", orderedCollections, system,
            ],
            swiftSettings: swiftSettings),
        .target(
            name: "WeightFiles", dependencies: ["Torch", "Storage", orderedCollections, system],
            swiftSettings: swiftSettings),
        .target(
            name: "Torch", dependencies: ["CTorch", orderedCollections, system],
            swiftSettings: swiftSettings),
        .target(
            name: "ImageText", dependencies: ["CImaging", "Storage", heap, system],
            swiftSettings: swiftSettings),
        .target(
            name: "Storage", dependencies: ["CSHA256", system, yams], swiftSettings: swiftSettings),
        .target(
            name: "CTorch",
            cxxSettings: [
                .headerSearchPath("../../.libtorch/torch/include"),
                .headerSearchPath("../../.libtorch/torch/include/torch/csrc/api/include"),
                // After libtorch's own, which can include Gloo's headers.
                .headerSearchPath("declarations"),
            ] + ncclSettings,
            linkerSettings: ncclLibraries + [
                .linkedLibrary("torch_cpu"), .linkedLibrary("c10"),
                .unsafeFlags(["-L\(libtorch)", "-Xlinker", "-rpath", "-Xlinker", libtorch]),
            ]),
        .target(
            name: "CVectors",
            // Where Homebrew puts hnswlib's headers.
            cxxSettings: [
                .unsafeFlags(["-I/opt/homebrew/include"], .when(platforms: [.macOS]))
            ]),
        .target(name: "CSHA256", dependencies: []),
        .target(name: "CImaging", dependencies: ["CJPEG"]),
        .systemLibrary(
            name: "CJPEG", pkgConfig: "libjpeg",
            providers: [.apt(["libjpeg-dev"]), .brew(["jpeg-turbo"])]),
        .target(
            name: "TestSupport",
            dependencies: [
                "RetrievalTesting", "Retrieval", "Downloads", "ALBEF", "ImageText", "WeightFiles",
                "Torch", "Storage", system,
            ],
            path: "Tests/TestSupport", swiftSettings: quickSettings),
        .testTarget(
            name: "TorchTests", dependencies: ["Torch", orderedCollections, system],
            swiftSettings: quickSettings),
        .testTarget(
            name: "WeightFilesTests",
            dependencies: [
                "TestSupport", "WeightFiles", "Torch", "Storage", orderedCollections, system,
            ],
            swiftSettings: quickSettings),
        .testTarget(
            name: "ImageTextTests", dependencies: ["ImageText", "Storage", system],
            swiftSettings: quickSettings),
        .testTarget(
            name: "ALBEFTests",
            dependencies: [
                "TestSupport", "RetrievalTesting", "ALBEF", "ImageText", "WeightFiles", "Torch",
                "Storage", orderedCollections, system,
            ],
            swiftSettings: quickSettings),
        .testTarget(
            name: "DownloadsTests",
            dependencies: [
                "TestSupport", "Downloads", "ALBEF", "WeightFiles", "Torch", "Storage", system,
            ],
            swiftSettings: quickSettings),
        .testTarget(
            name: "ALBEFTrainingTests",
            dependencies: [
                "TestSupport", "RetrievalTesting", "TrainingReport", "ALBEFTraining", "Retrieval",
                "ALBEF", "ImageText", "WeightFiles", "Torch", "Storage", orderedCollections, system,
            ],
            swiftSettings: quickSettings),
        .testTarget(
            name: "WardrobeTests",
            dependencies: [
                "TestSupport", "WardrobeEvaluation", "Wardrobe", "ALBEFTraining", "ALBEF",
                "ImageText", "Torch", "Storage", system,
            ],
            swiftSettings: quickSettings),
        .testTarget(
            name: "StorageTests", dependencies: ["Storage", "CSHA256", system],
            swiftSettings: quickSettings),
        .testTarget(
            name: "RetrievalTests",
            dependencies: [
                "TestSupport", "RetrievalTesting", "Wardrobe", "ALBEFTraining", "Retrieval",
                "ALBEF", "ImageText", "WeightFiles", "Torch", "Storage", "CVectors", system,
            ],
            swiftSettings: quickSettings),
        .testTarget(
            name: "RetrievalServerTests",
            dependencies: [
                "TestSupport", "RetrievalTesting", "RetrievalServer", "Retrieval", "ALBEF",
                "ImageText", "WeightFiles", "Torch", "Storage", system,
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: quickSettings),
        .testTarget(
            name: "MilvusRecallTests",
            dependencies: [
                "TestSupport", "MilvusRecall", "Retrieval", "Torch", system,
                .product(
                    name: "SwiftProtobuf", package: "swift-protobuf",
                    condition: .when(traits: milvus)),
            ],
            swiftSettings: quickSettings),
        // What users can do: through public interfaces alone.
        .testTarget(
            name: "RetrievalTestingTests",
            dependencies: ["RetrievalTesting", "RetrievalServer", "Retrieval", "ALBEF", system],
            packageAccess: false, swiftSettings: quickSettings),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "AlbefCommand", "CommandSupport", "TestSupport", "RetrievalTesting", "Retrieval",
                "Wardrobe", "Downloads", "ALBEFTraining", "ALBEF", "ImageText", "WeightFiles",
                "Torch",
                "Storage", system,
            ],
            swiftSettings: quickSettings),
        .testTarget(
            name: "DocumentationTests",
            dependencies: [
                "TestSupport", "RetrievalTesting", "RetrievalServer", "Wardrobe", "TrainingReport",
                "ALBEFTraining", "Retrieval", "Downloads", "ALBEF", "ImageText", "WeightFiles",
                "Torch", system, yams,
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: quickSettings),
    ],
    cxxLanguageStandard: .cxx20
)
