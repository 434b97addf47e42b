// swift-tools-version: 6.1
// The C and C++ targets with their callers and tests, to be built with the
// address sanitizer without the rest of the package; see Scripts/test-sanitized.
import PackageDescription

let libtorch = Context.packageDirectory + "/../../.libtorch/torch"

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]
let orderedCollections = Target.Dependency.product(
    name: "OrderedCollections", package: "swift-collections")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")

let package = Package(
    name: "sanitized",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .target(
            name: "CTorch",
            cxxSettings: [
                .unsafeFlags([
                    "-I\(libtorch)/include", "-I\(libtorch)/include/torch/csrc/api/include",
                ]),
                .headerSearchPath("declarations"),
            ],
            linkerSettings: [
                .linkedLibrary("torch_cpu"), .linkedLibrary("c10"),
                .unsafeFlags([
                    "-L\(libtorch)/lib", "-Xlinker", "-rpath", "-Xlinker", "\(libtorch)/lib",
                ]),
            ]),
        // hnswlib's own vector code prefetches with an index read beyond the end of a list.
        .target(name: "CVectors", cxxSettings: [.define("NO_MANUAL_VECTORIZATION")]),
        .target(name: "CSHA256"),
        .target(name: "CImaging", dependencies: ["CJPEG"]),
        .systemLibrary(name: "CJPEG", pkgConfig: "libjpeg"),
        .target(
            name: "Torch", dependencies: ["CTorch", orderedCollections, system],
            swiftSettings: swiftSettings),
        .target(
            name: "Storage",
            dependencies: [
                "CSHA256", system,
                .product(name: "Yams", package: "Yams"),
            ], swiftSettings: swiftSettings),
        .target(
            name: "ImageText",
            dependencies: [
                "CImaging", "Storage", .product(name: "HeapModule", package: "swift-collections"),
                system,
            ], swiftSettings: swiftSettings),
        .testTarget(
            name: "TorchTests", dependencies: ["Torch", orderedCollections, system],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "StorageTests", dependencies: ["Storage", "CSHA256"],
            swiftSettings: swiftSettings),
        .testTarget(name: "VectorTests", dependencies: ["CVectors"], path: "VectorTests"),
        .testTarget(
            name: "ImageTextTests", dependencies: ["ImageText", "Storage", system],
            swiftSettings: swiftSettings),
    ],
    cxxLanguageStandard: .cxx20
)
