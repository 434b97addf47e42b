internal import Foundation
internal import Storage
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
        let entry = error.field
        if !entry.isEmpty {
            guard let line else { return .malformed(path, entry: entry, error.problem) }
            return .malformed(path, line: line, field: entry, error.problem)
        }
        let (offset, why) = syntaxFault(in: data)
        let lineBreaks = offset.map { data.prefix($0).count { $0 == UInt8(ascii: "\n") } }
        guard let line = line ?? lineBreaks.map({ $0 + 1 }) else {
            return .malformed(path, entry: "", "is not JSON: \(why)")
        }
        return .malformed(path, line: line, "is not JSON: \(why)")
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
