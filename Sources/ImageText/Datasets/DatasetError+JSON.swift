internal import Foundation
internal import SystemPackage

extension DatasetError {
    /// Creates the error for a JSON decoder's complaint.
    ///
    /// - Parameter line: The number of the line that `data` holds, if the file is JSON Lines.
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

    /// Returns the decoder's position and reason; `nil` for the reason if the text is not JSON.
    private static func describe(
        _ error: DecodingError
    ) -> (keys: [any CodingKey], reason: String?) {
        switch error {
        case .keyNotFound(let key, let context): (context.codingPath + [key], "is missing")
        case .valueNotFound(_, let context): (context.codingPath, "is null")
        case .typeMismatch(let type, let context):
            (
                context.codingPath,
                type == String.self ? "is not a string" : "has a value of the wrong type"
            )
        case .dataCorrupted(let context):
            (context.codingPath, context.codingPath.isEmpty ? nil : context.debugDescription)
        @unknown default: ([], "\(error)")
        }
    }

    /// Returns the byte at which a text stops being JSON, which `JSONDecoder` does not report on
    /// every system.
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
            // Some systems report a line and a column instead.
            let offset = why.contains("character") && digits.count == 1 ? Int(digits[0]) : nil
            return (offset, why.last == "." ? String(why.dropLast()) : why)
        }
    }
}
