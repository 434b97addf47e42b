import Foundation
public import SystemPackage

/// The captions of a file, without their images.
public enum CaptionTexts {
    /// Reads the captions of a file; blank ones are left out.
    ///
    /// The ending decides the format. `.json` is ALBEF's annotation list, whose entries hold
    /// `"caption"`, a text or a list of texts; `.jsonl` and `.ndjson` hold one such entry a line;
    /// any other file is plain text with a caption a line.
    ///
    /// - Throws: ``CaptionTextsError`` naming the file, the line or entry, and the field.
    public static func read(_ file: FilePath) throws(CaptionTextsError) -> [String] {
        let bytes: [UInt8]
        do {
            bytes = try Vocabulary.read(file)
        } catch {
            throw CaptionTextsError(.unreadable(reason: "\(error)"), file: file)
        }
        var captions: [String] = []
        switch file.extension?.lowercased() {
        case "json":
            for (index, entry) in try list(bytes, file: file).enumerated() {
                captions += try texts(of: entry, at: "entry \(index + 1)", file: file)
            }
        case "jsonl", "ndjson":
            for (number, line) in lines(bytes) {
                let entry = try json(line, at: "line \(number)", file: file)
                captions += try texts(of: entry, at: "line \(number)", file: file)
            }
        default:
            for (number, line) in lines(bytes) {
                guard let text = String(validating: line, as: UTF8.self) else {
                    throw CaptionTextsError(.notText(line: number), file: file)
                }
                captions.append(text)
            }
        }
        return captions.filter { !$0.allSatisfy(\.isWhitespace) }
    }

    /// The lines that are not empty, with their numbers, without line feed or carriage return.
    private static func lines(_ bytes: [UInt8]) -> [(number: Int, bytes: ArraySlice<UInt8>)] {
        bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .enumerated().compactMap { index, line in
                let end = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
                return end.isEmpty ? nil : (index + 1, end)
            }
    }

    private static func list(_ bytes: [UInt8], file: FilePath) throws(CaptionTextsError) -> [Any] {
        guard let list = try json(bytes[...], at: nil, file: file) as? [Any] else {
            throw CaptionTextsError(.notAList, file: file)
        }
        return list
    }

    private static func json(
        _ bytes: ArraySlice<UInt8>, at place: String?, file: FilePath
    ) throws(CaptionTextsError) -> Any {
        do {
            return try JSONSerialization.jsonObject(with: Data(bytes))
        } catch {
            let details = (error as NSError).userInfo[NSDebugDescriptionErrorKey] as? String
            throw CaptionTextsError(.notJSON(place: place, reason: details ?? ""), file: file)
        }
    }

    private static func texts(
        of entry: Any, at place: String, file: FilePath
    ) throws(CaptionTextsError) -> [String] {
        guard let fields = entry as? [String: Any] else {
            throw CaptionTextsError(.notAnObject(place: place), file: file)
        }
        switch fields["caption"] {
        case nil: throw CaptionTextsError(.noCaption(place: place), file: file)
        case let text as String: return [text]
        case let texts as [String]: return texts
        default: throw CaptionTextsError(.captionIsNoText(place: place), file: file)
        }
    }
}

/// Why the captions of a file could not be read.
public struct CaptionTextsError: Error, Sendable, CustomStringConvertible {
    enum Code: Sendable {
        case unreadable(reason: String)
        case notText(line: Int)
        case notJSON(place: String?, reason: String)
        case notAList
        case notAnObject(place: String)
        case noCaption(place: String)
        case captionIsNoText(place: String)
    }

    let code: Code
    /// The file.
    public let file: FilePath

    init(_ code: Code, file: FilePath) {
        self.code = code
        self.file = file
    }

    /// The file, the line or entry, the field, and what is wrong, in one line.
    public var description: String {
        switch code {
        case .unreadable(let reason): "\(file): cannot be read: \(reason)"
        case .notText(let line): "\(file): line \(line) is not UTF-8"
        case .notJSON(let place, let reason):
            "\(file): \(place.map { $0 + " " } ?? "")is not JSON"
                + (reason.isEmpty ? "" : ": \(reason)")
        case .notAList:
            "\(file): is not a list of entries like {\"image\": …, \"caption\": …}"
                + " (a file of one entry a line is named .jsonl)"
        case .notAnObject(let place):
            "\(file): \(place) is not an entry like {\"image\": …, \"caption\": …}"
        case .noCaption(let place): "\(file): \(place) has no field 'caption'"
        case .captionIsNoText(let place):
            "\(file): the field 'caption' of \(place) is neither a text nor a list of texts"
        }
    }
}
