import Retrieval
import Storage
import SystemPackage

extension Parser {
    /// Texts that settings, people and other programs give.
    static let texts = [
        Parser("json") { bytes in
            _ = JSONText.repaired(bytes[...])
            var scanner = JSONScanner(bytes, at: 0)
            let scanned = Result { try scanner.skipValue() }
            let value = try bytes.withUnsafeBytes {
                try JSONValue($0, file: "input.json", what: "the input")
            }
            try scanned.get()
            _ = value.object?.map(\.name)
        },
        Parser("yaml") { bytes in
            let root = try SettingsYAML.parse(bytes.text(), place: "input.yaml")
            var settings = try SettingsMapping(root, place: "input.yaml")
            try settings.text("model") { _ in }
            try settings.texts("hosts") { _ in }
            try settings.whole("count") { _ in }
            try settings.number("rate") { _ in }
            try settings.section("part") { part throws(SettingsFault) in
                try part.whole("count") { _ in }
            }
            try settings.finish()
        },
        Parser("query") { bytes in
            let text = try bytes.text()
            try QueryTerms(text).query().check()
            _ = MetadataFilter(text)
            _ = IndexShard(text)
            _ = MilvusAddress.isAddress(text)
            _ = try? MilvusAddress(text, environment: [:])
        },
        // The lists of metadata and of texts for an index.
        Parser("lists") { bytes in
            let path = try Scratch.write(bytes, to: "list.csv")
            let metadata = Result { try MetadataFile(path) }
            _ = try? TextListFile(path)
            _ = try metadata.get()
        },
    ]
}
