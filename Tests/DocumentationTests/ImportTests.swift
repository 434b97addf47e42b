import Foundation
import SystemPackage
import TestSupport
import Testing

/// What every target may import, besides the modules of the system.
enum Layers {
    /// From the command down to the targets in C: imports point from a layer to later ones.
    static let order: [Set<String>] = [
        ["AlbefCommand", "DemoProgram"], ["Demo"], ["CommandSupport"], ["RetrievalTesting"],
        ["RetrievalServer"], ["WardrobeEvaluation"], ["TrainingReport"], ["ALBEFTraining"],
        ["MilvusRecall"], ["Retrieval"], ["Downloads"], ["ALBEF"], ["WeightFiles"], ["Torch"],
        ["Wardrobe"], ["ImageText"], ["Storage"], ["CTorch", "CVectors", "CImaging", "CSHA256"],
        ["CJPEG"],
    ]

    /// The dependencies of each target, as Package.swift has them.
    static let allowed: [String: Set<String>] = [
        "AlbefCommand": [
            "Demo", "CommandSupport", "RetrievalServer", "WardrobeEvaluation", "Wardrobe",
            "TrainingReport", "ALBEFTraining", "Retrieval", "Downloads", "ALBEF", "ImageText",
            "WeightFiles", "Torch", "Storage", "ArgumentParser", "Logging", "MilvusRecall",
            "SystemPackage",
        ],
        "DemoProgram": ["Demo", "CommandSupport"],
        "Demo": [
            "CommandSupport", "Wardrobe", "Retrieval", "ALBEF", "ImageText", "Storage",
            "ArgumentParser", "SystemPackage",
        ],
        "CommandSupport": [
            "Retrieval", "Downloads", "ALBEF", "Torch", "Storage", "ArgumentParser",
            "SystemPackage",
        ],
        "RetrievalTesting": [
            "RetrievalServer", "Retrieval", "ALBEF", "Torch", "Logging", "SystemPackage",
        ],
        "RetrievalServer": [
            "Retrieval", "ALBEF", "ImageText", "Torch", "Storage", "DequeModule",
            "HTTPTypes", "Hummingbird", "HummingbirdCore", "Logging", "NIOCore",
            "NIOHTTP1", "ServiceLifecycle", "SystemPackage", "UnixSignals",
        ],
        "WardrobeEvaluation": [
            "Wardrobe", "ALBEFTraining", "ALBEF", "ImageText", "Torch", "Storage", "SystemPackage",
        ],
        "Wardrobe": ["ImageText", "SystemPackage"],
        "TrainingReport": [
            "ALBEFTraining", "ALBEF", "ImageText", "Torch", "Storage", "SystemPackage",
        ],
        "ALBEFTraining": [
            "ALBEF", "ImageText", "WeightFiles", "Torch", "Storage", "OrderedCollections",
            "SystemPackage", "Yams",
        ],
        "MilvusRecall": [
            "Retrieval", "GRPCCore", "GRPCNIOTransportHTTP2Posix", "SwiftProtobuf",
        ],
        "Retrieval": [
            "ALBEF", "ImageText", "WeightFiles", "Torch", "Storage", "CVectors",
            "HeapModule", "SystemPackage",
        ],
        "Downloads": [
            "ALBEF", "WeightFiles", "Torch", "Storage", "SystemPackage",
        ],
        "ALBEF": [
            "ImageText", "WeightFiles", "Torch", "Storage", "OrderedCollections",
            "SystemPackage",
        ],
        "ImageText": ["Storage", "CImaging", "HeapModule", "SystemPackage"],
        "WeightFiles": ["Torch", "Storage", "OrderedCollections", "SystemPackage"],
        "Torch": ["CTorch", "OrderedCollections", "SystemPackage"],
        "Storage": ["CSHA256", "SystemPackage", "Yams"],
        "CTorch": [],
        "CVectors": [],
        "CSHA256": [],
        "CImaging": ["CJPEG"],
        "CJPEG": [],
    ]

    /// Modules that come with Swift or the system.
    static let system: Set<String> = [
        "CoreServices", "Darwin", "Dispatch", "Foundation", "FoundationEssentials",
        "FoundationNetworking", "Glibc", "Musl", "Synchronization",
    ]

    /// The place of a target in ``order``.
    static func layer(of target: String) -> Int? {
        order.firstIndex { $0.contains(target) }
    }
}

@Suite("Imports")
struct ImportTests {
    @Test("The table is Package.swift's", arguments: Layers.allowed.keys.sorted())
    func tableIsThePackages(_ target: String) throws {
        let package = try Pages.text(Fixtures.repository.appending("Package.swift"))
        let found = try PackageDescription(package).dependencies(of: target)
        #expect(found == Layers.allowed[target])
    }

    @Test func tableHasEveryTarget() throws {
        let folders = try FileManager.default.contentsOfDirectory(
            atPath: Fixtures.repository.appending("Sources").string)
        #expect(Set(folders) == Set(Layers.allowed.keys))
        #expect(Layers.order.reduce(into: Set()) { $0.formUnion($1) } == Set(folders))
    }

    @Test("Dependencies point downwards", arguments: Layers.allowed.keys.sorted())
    func dependenciesPointDownwards(_ target: String) throws {
        let layer = try #require(Layers.layer(of: target))
        for below in Layers.allowed[target, default: []] {
            guard let other = Layers.layer(of: below) else { continue }
            #expect(other > layer, "\(target) is not above \(below)")
        }
    }

    @Test("Files import what their target may", arguments: Layers.allowed.keys.sorted())
    func filesImportWhatTheirTargetMay(_ target: String) throws {
        let allowed = Layers.allowed[target, default: []].union(Layers.system)
        var unused = Layers.allowed[target, default: []]
        let folder = Fixtures.repository.appending("Sources").appending(target)
        for file in try Pages.files(under: folder, extension: "swift") {
            for module in Self.imports(of: try Pages.text(file)) {
                #expect(allowed.contains(module), "\(Pages.name(file)) imports \(module)")
                unused.remove(module)
            }
        }
        // Targets in C include each other's headers.
        if Layers.order.dropLast(2).contains(where: { $0.contains(target) }) {
            #expect(unused.isEmpty, "no file of \(target) imports these")
        }
    }

    /// The modules that a file imports, however it does so.
    static func imports(of text: String) -> [String] {
        let line =
            #/
            (?m) ^ \ * (?: @\w+ \ )*
            (?: (?: public|package|internal|private|fileprivate ) \ )? import \s
            (?: (?: typealias|struct|class|enum|protocol|let|var|func ) \s )? (\w+)
            /#
        return text.matches(of: line).map { String($0.output.1) }
    }

    @Test func importsAreRead() {
        let text = """
            import A
            public import B
            @preconcurrency package import C
            import func D.run
            #if os(Linux)
                internal import E
            #endif
            // import F
            """
        #expect(Self.imports(of: text) == ["A", "B", "C", "D", "E"])
    }
}

/// What Package.swift says of dependencies.
struct PackageDescription {
    /// The descriptions of the targets, one after another.
    private let targets: [Substring]
    /// The products that constants stand for.
    private var constants: [Substring: Set<String>] = [:]

    init(_ text: String) throws {
        let parts = text.split(separator: "\n    targets: [", maxSplits: 1)
        for constant in parts[0].split(separator: "\nlet ") {
            constants[constant.prefix { $0.isLetter }] = Self.products(in: constant)
        }
        targets = try #require(parts.last).split(separator: "\n        .")
    }

    /// What a target depends on: targets, and products by the names of their modules.
    func dependencies(of name: String) throws -> Set<String> {
        let target = try #require(targets.first { $0.contains("name: \"\(name)\",") })
        guard let list = target.firstMatch(of: /dependencies: (\[[^\]]*\](?:\s*\+ \w+)?)/)?.output.1
        else { return [] }
        let plain = list.replacing(/\.product\([^)]*\)/, with: "")
        var found = Self.products(in: list)
        for match in plain.matches(of: /"?(\w+)"?/) {
            let name = match.output.1
            if match.output.0 == name {
                found.formUnion(try #require(constants[name], "\(name) is no constant"))
            } else {
                found.insert(String(name))
            }
        }
        return found
    }

    private static func products(in text: Substring) -> Set<String> {
        Set(
            text.matches(of: /(?:product|Dependency\.target)\(\s*name: "(\w+)"/).map {
                String($0.output.1)
            })
    }
}
