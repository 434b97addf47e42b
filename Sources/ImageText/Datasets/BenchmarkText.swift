internal import Foundation
internal import SystemPackage

/// The text of annotation files of benchmarks, and the JSON in it.
enum BenchmarkText {
    /// A file's bytes.
    ///
    /// - Throws: ``DatasetError`` where it cannot be read, or is a Parquet file.
    static func bytes(of path: FilePath) throws(DatasetError) -> [UInt8] {
        let bytes: [UInt8]
        do throws(TextFile.Fault) {
            bytes = try TextFile.contents(of: path)
        } catch {
            throw .unreadable(path, error.reason)
        }
        if bytes.starts(with: "PAR1".utf8) { throw .parquet(path) }
        return bytes
    }

    /// Decodes a JSON list.
    static func list<Value: Decodable>(
        of type: Value.Type, _ text: ArraySlice<UInt8>, _ path: FilePath
    ) throws(DatasetError) -> [Value] {
        let data = Data(text)
        do {
            return try JSONDecoder().decode([Value].self, from: data)
        } catch {
            throw .json(error, in: data, of: path)
        }
    }

    /// Decodes JSON Lines; lines are counted from 1, blank ones too.
    ///
    /// - Parameter unknown: the error where the text is one object in several lines.
    static func lines<Value: Decodable>(
        of type: Value.Type, _ text: ArraySlice<UInt8>, _ path: FilePath,
        unknown: @autoclosure () -> DatasetError
    ) throws(DatasetError) -> [(number: Int, value: Value)] {
        let decoder = JSONDecoder()
        var values: [(number: Int, value: Value)] = []
        var number = 0
        for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            guard !line.allSatisfy({ " \t\r".utf8.contains($0) }) else { continue }
            do {
                values.append((number, try decoder.decode(Value.self, from: Data(line))))
            } catch {
                if values.isEmpty, isObject(text) { throw unknown() }
                throw .json(error, in: Data(line), of: path, line: number)
            }
        }
        return values
    }

    /// Whether all of a text is one JSON object that stands in several lines.
    private static func isObject(_ text: ArraySlice<UInt8>) -> Bool {
        let lines = text.split(separator: UInt8(ascii: "\n")).filter { line in
            !line.allSatisfy { " \t\r".utf8.contains($0) }
        }
        guard lines.count > 1 else { return false }
        return (try? JSONSerialization.jsonObject(with: Data(text))) is [String: Any]
    }

    /// Whether a JSON object's first value is an object too, or there is none.
    static func isObjectOfObjects(_ text: ArraySlice<UInt8>) -> Bool {
        var rest = text.drop { " \t\r\n".utf8.contains($0) }.dropFirst()
        func skipSpace() { rest = rest.drop { " \t\r\n".utf8.contains($0) } }
        skipSpace()
        if rest.first == UInt8(ascii: "}") { return true }
        guard rest.popFirst() == UInt8(ascii: "\"") else { return false }
        while let byte = rest.popFirst(), byte != UInt8(ascii: "\"") {
            if byte == UInt8(ascii: "\\") { _ = rest.popFirst() }
        }
        skipSpace()
        guard rest.popFirst() == UInt8(ascii: ":") else { return false }
        skipSpace()
        return rest.first == UInt8(ascii: "{")
    }
}
