// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "Benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "swift-albef", path: ".."),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    ],
    targets: [
        .executableTarget(
            name: "tokenize-lines",
            dependencies: [
                .product(name: "ImageText", package: "swift-albef"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
        .executableTarget(
            name: "reference-values",
            dependencies: [
                .product(name: "WeightFiles", package: "swift-albef"),
                .product(name: "ALBEFTraining", package: "swift-albef"),
                .product(name: "ALBEF", package: "swift-albef"),
                .product(name: "Torch", package: "swift-albef"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
        .executableTarget(
            name: "recall-scan",
            dependencies: [
                .product(name: "Retrieval", package: "swift-albef"),
                .product(name: "Torch", package: "swift-albef"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
        .executableTarget(
            name: "index-scale",
            dependencies: [
                .product(name: "Retrieval", package: "swift-albef"),
                .product(name: "ALBEF", package: "swift-albef"),
                .product(name: "ImageText", package: "swift-albef"),
                .product(name: "WeightFiles", package: "swift-albef"),
                .product(name: "Torch", package: "swift-albef"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
        .executableTarget(
            name: "token-budgets",
            dependencies: [
                .product(name: "Retrieval", package: "swift-albef"),
                .product(name: "ImageText", package: "swift-albef"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
        .executableTarget(
            name: "pair-scoring",
            dependencies: [
                .product(name: "Wardrobe", package: "swift-albef"),
                .product(name: "Retrieval", package: "swift-albef"),
                .product(name: "ALBEF", package: "swift-albef"),
                .product(name: "ImageText", package: "swift-albef"),
                .product(name: "Torch", package: "swift-albef"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
    ]
)
