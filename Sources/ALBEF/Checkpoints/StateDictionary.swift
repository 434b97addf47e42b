import OrderedCollections
import SystemPackage
import Torch
import WeightFiles

/// The tensors of a model in a checkpoint, under the names of the pretraining model.
struct StateDictionary {
    struct Element {
        /// The name in the file.
        let source: String
        let tensor: StoredTensor
    }

    let file: FilePath
    /// The place of the tensors in the file, as keys separated by periods; "" for the top level.
    let location: String
    /// The tensors by canonical name, in the order of the file.
    let elements: OrderedDictionary<String, Element>
    /// Entries of the file outside the model.
    let others: [String]

    /// The keys under which checkpoints wrap their model.
    static let wrappers = [
        "model", "state_dict", "model_state_dict", "module", "net", "network", "_orig_mod",
    ]

    private static let marker = "visual_encoder.cls_token"

    init(_ file: TensorFile) throws {
        self.file = file.path
        let root = file.root
        guard let top = root.dictionary,
            let (location, dictionary) = StateDictionary.find(top, at: "", depth: 0)
        else { throw ModelFileError(file.path, .noState(StateDictionary.outline(root))) }
        self.location = location
        let wrapper = location.prefix { $0 != "." }
        others =
            location.isEmpty
            ? []
            : top.filter { $0.key.description != wrapper }.map { key, value in
                let classes = value.classNames
                return classes.isEmpty
                    ? key.description : "\(key) (\(classes.joined(separator: ", ")))"
            }
        var elements: OrderedDictionary<String, Element> = [:]
        for (key, value) in dictionary {
            let source = key.description
            guard let tensor = value.tensor else {
                throw ModelFileError(file.path, .notATensor(source))
            }
            let name = StateDictionary.canonical(WrapperNames.stripped(source))
            if let other = elements[name] {
                throw ModelFileError(
                    file.path,
                    .tensor(
                        name: source, problem: "is the same parameter as \"\(other.source)\""))
            }
            elements[name] = Element(source: source, tensor: tensor)
        }
        self.elements = elements
    }

    /// Whether the file's own names have `text_encoder.bert`, beside a language-model head.
    var keepsLanguageModel: Bool {
        elements.values.contains {
            WrapperNames.stripped($0.source).hasPrefix("text_encoder.bert.")
        }
            && elements.keys.contains { $0.hasPrefix("text_encoder.cls.predictions.transform.") }
    }

    func tensor(_ name: String) -> StoredTensor? { elements[name]?.tensor }

    func contains(prefix: String) -> Bool { elements.keys.contains { $0.hasPrefix(prefix) } }

    /// Restores `bert.`, which fine-tuned models drop from the names of text encoder and twin.
    private static func canonical(_ name: String) -> String {
        for prefix in ["text_encoder.", "text_encoder_m."] where name.hasPrefix(prefix) {
            let rest = name.dropFirst(prefix.count)
            if rest.hasPrefix("embeddings.") || rest.hasPrefix("encoder.") {
                return "\(prefix)bert.\(rest)"
            }
        }
        return name
    }

    private static func find(
        _ dictionary: CheckpointDictionary, at location: String, depth: Int
    ) -> (String, CheckpointDictionary)? {
        if dictionary.keys.contains(where: { WrapperNames.stripped($0.description) == marker }) {
            return (location, dictionary)
        }
        guard depth < 3 else { return nil }
        for key in wrappers {
            guard let inner = dictionary[key]?.dictionary else { continue }
            let place = location.isEmpty ? key : "\(location).\(key)"
            if let found = find(inner, at: place, depth: depth + 1) { return found }
        }
        return nil
    }

    /// Describes the keys of a file without a model, and those of its dictionaries, for an error.
    private static func outline(_ root: CheckpointValue) -> String {
        guard let top = root.dictionary else {
            guard case .object(let name) = root else { return "it is not a dictionary" }
            return "it is an object of \(name); save its state_dict() instead"
        }
        guard top.count > 0 else { return "it is empty" }
        let keys = top.prefix(6).map { key, value in
            guard let inner = value.dictionary, inner.count > 0 else { return shortened(key) }
            let names = inner.prefix(4).map { shortened($0.key) }.joined(separator: ", ")
            let more = inner.count > 4 ? " and \(inner.count - 4) more" : ""
            return "\(shortened(key)) (with \(names)\(more))"
        }
        let more = top.count > 6 ? " and \(top.count - 6) more" : ""
        return "its keys are \(keys.joined(separator: ", "))\(more)"
    }

    private static func shortened(_ key: CheckpointKey) -> String {
        String(key.description.prefix(100))
    }
}
