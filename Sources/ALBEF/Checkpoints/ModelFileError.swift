public import SystemPackage

/// An error of importing a checkpoint, or of opening or writing a model directory.
public struct ModelFileError: Error, Sendable, CustomStringConvertible {
    /// The file or directory that the error is about.
    public let file: FilePath
    private let code: Code

    package enum Code: Sendable {
        case noDirectory
        case notAModel(missing: String)
        case occupied(by: String)
        case system(operation: String, errno: Errno)
        case configuration(String)
        case unknownKey(String)
        case missingKey(String)
        case neededKey(String)
        case noTensors
        case format(Int)
        case digest(expected: String, found: String)
        case vocabulary(lines: Int, rows: Int)
        case noState(String)
        case noTask
        case option(String)
        case notATensor(String)
        case missing([String])
        case unexplained([String])
        case shape(tensor: String, expected: [Int], found: [Int])
        case tensor(name: String, problem: String)
    }

    package init(_ file: FilePath, _ code: Code) {
        self.file = file
        self.code = code
    }

    /// One sentence that starts with the path.
    public var description: String { "\(file): \(reason)" }

    /// The description without the path.
    public var reason: String {
        switch code {
        case .noDirectory: "no such directory"
        case .notAModel(let missing): "is not a model directory: it has no \(missing)"
        case .occupied(let name):
            "was not replaced: found \(name), which is not part of a model; choose another path"
        case .system(let operation, let errno): "cannot \(operation): \(errno)"
        case .configuration(let what): what
        case .unknownKey(let key): "has the unknown key \"\(key)\""
        case .missingKey(let key): "lacks the key \"\(key)\""
        case .neededKey(let key):
            "lacks the key \"\(key)\", which the tensors do not determine; add it with the value"
                + " used in training"
        case .noTensors: "holds no tensors, at the top level or in a model's dictionary"
        case .format(let found):
            "has format \(found); this version reads formats 1 to \(ModelDocument.format)"
        case .digest(let expected, let found):
            "was changed after it was written: its SHA-256 is \(found), expected \(expected)"
        case .vocabulary(let lines, let rows):
            "has \(lines) lines, but the model has \(rows) word embeddings; they must agree"
        case .noState(let outline):
            "holds no ALBEF model: no visual_encoder.cls_token at the top level or under "
                + StateDictionary.wrappers.joined(separator: ", ") + "; " + outline
        case .noTask:
            "belongs to no known task: it has none of text_decoder, cls_head, ta_head and itm_head"
        case .option(let what): what
        case .notATensor(let name): "the entry \"\(name)\" of the model is not a tensor"
        case .missing(let names):
            "lacks \(names.count) tensors of the model: \(ModelFileError.list(names))"
        case .unexplained(let names):
            "has \(names.count) tensors that are not part of the model: "
                + ModelFileError.list(names)
        case .shape(let tensor, let expected, let found):
            "tensor \"\(tensor)\" should have the shape \(expected), but has \(found)"
        case .tensor(let name, let problem): "tensor \"\(name)\" \(problem)"
        }
    }

    /// Returns the first six names, and how many more follow.
    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(6).map { String($0.prefix(100)) }.joined(separator: ", ")
        return names.count > 6 ? "\(shown) and \(names.count - 6) more" : shown
    }
}
