import OrderedCollections
import SystemPackage
import Torch

/// A model's tensors found in a checkpoint, under the names of the pretraining model.
struct StateDictionary {
    struct Element {
        /// The name in the file.
        let source: String
        let tensor: StoredTensor
    }

    let file: FilePath
    /// Where the tensors stood: "" for the top level.
    let location: String
    /// By canonical name, in the order of the file.
    let elements: OrderedDictionary<String, Element>
    /// Entries of the file beside the model.
    let others: [String]

    /// The keys under which checkpoints wrap their model.
    static let wrappers = ["model", "state_dict", "model_state_dict", "module"]

    private static let marker = "visual_encoder.cls_token"

    init(_ file: TensorFile) throws {
        self.file = file.path
        guard let root = file.root.dictionary else {
            throw ModelFileError(file.path, .noState(keys: []))
        }
        let keys = root.keys.map(\.description)
        let found = StateDictionary.find(root, at: "", depth: 0)
        guard let (location, dictionary) = found else {
            throw ModelFileError(file.path, .noState(keys: keys))
        }
        self.location = location
        others = location.isEmpty ? [] : keys.filter { $0 != location.prefix { $0 != "." } }
        let names = dictionary.keys.map(\.description)
        let isWrapped = names.allSatisfy { $0.hasPrefix("module.") }
        var elements: OrderedDictionary<String, Element> = [:]
        for (key, value) in dictionary {
            let source = key.description
            guard let tensor = value.tensor else {
                throw ModelFileError(file.path, .notATensor(source))
            }
            let plain = isWrapped ? String(source.dropFirst("module.".count)) : source
            let name = StateDictionary.canonical(plain)
            if let other = elements[name] {
                throw ModelFileError(
                    file.path, .tensor(name: source, problem: "is the same as \"\(other.source)\""))
            }
            elements[name] = Element(source: source, tensor: tensor)
        }
        self.elements = elements
    }

    /// Whether the file itself names the text encoder `text_encoder.bert`.
    var keepsLanguageModel: Bool {
        elements.values.contains { $0.source.contains("text_encoder.bert.") }
            && elements.keys.contains { $0.hasPrefix("text_encoder.cls.predictions.transform.") }
    }

    func tensor(_ name: String) -> StoredTensor? { elements[name]?.tensor }

    func contains(prefix: String) -> Bool { elements.keys.contains { $0.hasPrefix(prefix) } }

    /// Puts `bert.` back, which the fine-tuned models drop, and so on for the momentum twin.
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
        if dictionary[marker] != nil || dictionary["module.\(marker)"] != nil {
            return (location, dictionary)
        }
        guard depth < 2 else { return nil }
        for key in wrappers {
            guard let inner = dictionary[key]?.dictionary else { continue }
            let place = location.isEmpty ? key : "\(location).\(key)"
            if let found = find(inner, at: place, depth: depth + 1) { return found }
        }
        return nil
    }
}
