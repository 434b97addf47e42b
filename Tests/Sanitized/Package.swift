// swift-tools-version: 6.1
// The C and C++ targets with their callers and tests, and a program that gives the parsers damaged
// inputs, to be built with sanitizers without the rest of the package; see Scripts/test-sanitized and
// Scripts/fuzz. `swift build` adds the address sanitizer to all of it.
import PackageDescription

let libtorch = Context.packageDirectory + "/../../.libtorch/torch"

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]
// Code that reads bytes from outside reports which of its branches run. libFuzzer, which Swift has
// only on Linux, listens to these reports; in the tests the sanitizer ignores them.
#if os(Linux)
    let cReports = ["-fsanitize=fuzzer-no-link"]
    let swiftReports = [SwiftSetting.unsafeFlags(["-sanitize=fuzzer"])]
#else
    let cReports: [String] = []
    let swiftReports: [SwiftSetting] = []
#endif
let readerSettings = swiftSettings + swiftReports
// Undefined behaviour in C and C++ ends the process. The functions of libtorch's operators have
// types that only libtorch knows.
let cChecks = [
    "-fsanitize=undefined", "-fno-sanitize=vptr,function", "-fno-sanitize-recover=undefined",
]

let orderedCollections = Target.Dependency.product(
    name: "OrderedCollections", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
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
                .headerSearchPath("declarations"), .unsafeFlags(cChecks),
            ],
            linkerSettings: [
                .linkedLibrary("torch_cpu"), .linkedLibrary("c10"),
                .unsafeFlags([
                    "-L\(libtorch)/lib", "-Xlinker", "-rpath", "-Xlinker", "\(libtorch)/lib",
                ]),
            ]),
        // hnswlib's own vector code prefetches with an index read beyond the end of a list, and reads
        // numbers at addresses that are not aligned.
        .target(
            name: "CVectors", cSettings: [.unsafeFlags(cReports + cChecks)],
            cxxSettings: [
                .define("NO_MANUAL_VECTORIZATION"),
                .unsafeFlags(cReports + cChecks + ["-fno-sanitize=alignment"]),
            ]),
        .target(name: "CSHA256", cSettings: [.unsafeFlags(cChecks)]),
        .target(
            name: "CImaging", dependencies: ["CJPEG"],
            cSettings: [.unsafeFlags(cReports + cChecks)]),
        .systemLibrary(name: "CJPEG", pkgConfig: "libjpeg"),
        .target(
            name: "Torch", dependencies: ["CTorch", orderedCollections, system],
            swiftSettings: swiftSettings),
        .target(
            name: "Storage",
            dependencies: [
                "CSHA256", system,
                .product(name: "Yams", package: "Yams"),
            ], swiftSettings: readerSettings),
        .target(
            name: "ImageText", dependencies: ["CImaging", "Storage", heap, system],
            swiftSettings: readerSettings),
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

// The program of Scripts/fuzz.
#if os(Linux)
    #if arch(arm64)
        let fuzzer = "libclang_rt.fuzzer_no_main-aarch64.a"
    #else
        let fuzzer = "libclang_rt.fuzzer_no_main-x86_64.a"
    #endif
    package.targets += [
        .target(
            name: "WeightFiles", dependencies: ["Torch", "Storage", orderedCollections, system],
            swiftSettings: readerSettings),
        .target(
            name: "ALBEF",
            dependencies: [
                "ImageText", "WeightFiles", "Torch", "Storage", orderedCollections, system,
            ],
            swiftSettings: readerSettings),
        .target(
            name: "Retrieval",
            dependencies: [
                "ALBEF", "CVectors", "ImageText", "WeightFiles", "Torch", "Storage", heap, system,
            ],
            exclude: ["Models"], swiftSettings: readerSettings),
        .systemLibrary(name: "CFuzzer", path: "CFuzzer"),
        .executableTarget(
            name: "Fuzz",
            dependencies: [
                "CFuzzer", "Retrieval", "ALBEF", "CVectors", "ImageText", "WeightFiles", "Torch",
                "Storage",
                system,
            ],
            path: "Fuzz", swiftSettings: readerSettings,
            linkerSettings: [
                // It lies beside the folder in which the compiler looks for libraries; gold, the
                // default linker, would not look there.
                .unsafeFlags([
                    "-use-ld=lld", "-Xlinker", "-l:../clang/lib/linux/\(fuzzer)",
                ])
            ]),
    ]
#endif
