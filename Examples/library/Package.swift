// swift-tools-version: 6.1
import PackageDescription

// In a package of your own, `path` leads to a checkout of swift-albef on which Scripts/bootstrap has
// run, such as a submodule.
let package = Package(
    name: "library-examples",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "swift-albef", path: "../.."),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    ],
    targets: [
        .executableTarget(
            name: "search-folder",
            dependencies: [
                .product(name: "Retrieval", package: "swift-albef"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
        .executableTarget(
            name: "train-captions",
            dependencies: [
                .product(name: "ALBEFTraining", package: "swift-albef"),
                .product(name: "Retrieval", package: "swift-albef"),
                .product(name: "ImageText", package: "swift-albef"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
        .executableTarget(
            name: "rerank-candidates",
            dependencies: [
                .product(name: "Retrieval", package: "swift-albef"),
                .product(name: "ALBEF", package: "swift-albef"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
    ]
)
