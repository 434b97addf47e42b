internal import Foundation
internal import SystemPackage

extension DatasetError {
    /// What a JSON decoder found wrong.
    ///
    /// - Parameter line: The line that all of the JSON stands in, where it is one of several.
    static func json(
        _ error: any Error, in data: Data, of path: FilePath, line: Int? = nil
    ) -> DatasetError {
        guard let error = error as? DecodingError else {
            return .malformed(path, entry: "", "\(error)")
        }
        let (keys, reason) = describe(error)
        let entry = keys.reduce(into: "") { entry, key in
            if let index = key.intValue {
                entry += "[\(index)]"
            } else {
                entry += (entry.isEmpty ? "" : ".") + key.stringValue
            }
        }
        if let reason {
            guard let line else { return .malformed(path, entry: entry, reason) }
            return .malformed(path, line: line, field: entry, reason)
        }
        let (offset, why) = syntaxFault(in: data)
        let lineBreaks = offset.map { data.prefix($0).count { $0 == UInt8(ascii: "\n") } }
        guard let line = line ?? lineBreaks.map({ $0 + 1 }) else {
            return .malformed(path, entry: "", "is not JSON: \(why)")
        }
        return .malformed(path, line: line, "is not JSON: \(why)")
    }

    /// Where a decoder stopped, and why; `nil` for what is no JSON at all.
    private static func describe(
        _ error: DecodingError
    ) -> (keys: [any CodingKey], reason: String?) {
        switch error {
        case .keyNotFound(let key, let context): (context.codingPath + [key], "is missing")
        case .valueNotFound(_, let context): (context.codingPath, "is null")
        case .typeMismatch(let type, let context):
            (context.codingPath, type == String.self ? "is not a text" : "is not what belongs here")
        case .dataCorrupted(let context):
            (context.codingPath, context.codingPath.isEmpty ? nil : context.debugDescription)
        @unknown default: ([], "\(error)")
        }
    }

    /// At which byte a text stops being JSON, which `JSONDecoder` does not say on every system.
    private static func syntaxFault(in data: Data) -> (offset: Int?, why: String) {
        do {
            _ = try JSONSerialization.jsonObject(with: data)
            return (nil, "it cannot be decoded")
        } catch {
            let error = error as NSError
            guard let why = error.userInfo[NSDebugDescriptionErrorKey] as? String else {
                return (nil, "\(error)")
            }
            let digits = why.split { !$0.isASCII || !$0.isNumber }
            // Some systems count lines and columns instead, and say so.
            let offset = why.contains("character") && digits.count == 1 ? Int(digits[0]) : nil
            return (offset, why.last == "." ? String(why.dropLast()) : why)
        }
    }
}
