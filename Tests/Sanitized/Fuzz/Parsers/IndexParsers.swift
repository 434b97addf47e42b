import CVectors
import Foundation
import Retrieval
import SystemPackage

extension Parser {
    static let indexes = [
        // manifest.json beside a valid segment.
        Parser("manifest") { bytes in
            let index = try sample.get()
            try write(bytes, to: index.directory.appending("manifest.json"))
            _ = try? ForwardIndex.verify(index.directory)
            try use(ForwardIndex(index.directory))
        },
        // A segment beside a manifest that names it.
        Parser("segment") { bytes in
            let index = try sample.get()
            let size = "\"byte_count\" : \(index.segmentBytes)"
            let manifest = index.manifest.replacing(size, with: "\"byte_count\" : \(bytes.count)")
            try write(Array(manifest.utf8), to: index.directory.appending("manifest.json"))
            try write(bytes, to: index.segment)
            try use(ForwardIndex(index.directory))
        },
        Parser("graph") { bytes in
            var message: UnsafeMutablePointer<CChar>?
            defer { free(message) }
            let width: Int32 = 4
            guard
                let graph = hnsw_read(
                    bytes, Int64(bytes.count), width, Int64(SampleIndex.count), 16, &message)
            else { throw BadGraph(text: message.map { String(cString: $0) } ?? "") }
            defer { hnsw_free(graph) }
            var labels = [Int64](repeating: -1, count: SampleIndex.count)
            for query in [[1, 0, 0, 0], [-0.5, 0.5, -0.5, 0.5], [.nan, 0, 0, 0]] as [[Float]] {
                let found = hnsw_search(graph, query, Int64(labels.count), &labels, &message)
                guard found <= labels.count,
                    labels.prefix(Int(max(0, found))).allSatisfy({
                        (0..<Int64(labels.count)).contains($0)
                    })
                else { fatalError("a search finds \(found) labels: \(labels)") }
            }
        },
    ]

    private struct BadGraph: Error { let text: String }

    private static let sample = Result { try SampleIndex() }

    private static func write(_ bytes: [UInt8], to path: FilePath) throws {
        unlink(path.string)
        try Data(bytes).write(to: URL(fileURLWithPath: path.string))
    }

    private static func use(_ index: ForwardIndex) throws {
        _ = index.statistics
        _ = try? index.refreshed()
        _ = try? index.facets()
        for filter in ["year>=2020", "place=Kyoto", "date<2021", "folder=/images", "tags!=red"] {
            guard let filter = MetadataFilter(filter) else { continue }
            _ = try? index.ids(where: [filter])
        }
        for order in EntryOrder.allCases {
            _ = try? index.ids(where: [], by: order)
        }
        let ids = index.ids(skipping: 0, count: 8)
        let locator = EntryLocator()
        for id in ids {
            guard let entry = try? index.entry(id) else { continue }
            _ = try? locator.find(EntryKey(entry.path), in: index)
        }
        _ = try index.features(ids)
        _ = index.tokens(ids)
    }
}
