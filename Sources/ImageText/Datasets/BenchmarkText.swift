internal import Foundation
internal import SystemPackage

/// Reads the text of benchmark annotation files, and decodes its JSON.
enum BenchmarkText {
    /// Returns the content of a file.
    ///
    /// - Throws: ``DatasetError`` if the file cannot be read or is a Parquet file.
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

    /// Decodes a JSON array.
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

    /// Decodes JSON Lines; line numbers start at 1 and include blank lines.
    ///
    /// - Parameter unknown: The error if the text is one JSON object over several lines.
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

    /// Returns whether the whole text is one JSON object over several lines.
    private static func isObject(_ text: ArraySlice<UInt8>) -> Bool {
        let lines = text.split(separator: UInt8(ascii: "\n")).filter { line in
            !line.allSatisfy { " \t\r".utf8.contains($0) }
        }
        guard lines.count > 1 else { return false }
        return (try? JSONSerialization.jsonObject(with: Data(text))) is [String: Any]
    }

    /// Returns whether a JSON object is empty or its first value is an object.
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
