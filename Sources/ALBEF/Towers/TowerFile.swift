import OrderedCollections
import Storage
import SystemPackage
import Torch
import WeightFiles

/// Weights of another project, with the documents beside them.
struct TowerFile {
    /// A tensor, under the name that layouts use.
    struct Element {
        /// The name in the file.
        let source: String
        let tensor: StoredTensor
    }

    /// The path of the weights, or of the index of their parts.
    let path: FilePath
    /// The tensors by name, without the additions of programs and wrappers.
    let elements: OrderedDictionary<String, Element>
    /// Hugging Face's or timm's `config.json`.
    let configuration: ConfigurationDocument?
    /// OpenCLIP's `open_clip_config.json`.
    let openCLIP: ConfigurationDocument?
    /// The preparation of images: Hugging Face's `preprocessor_config.json`, or the part of
    /// `processor_config.json` that replaces it in transformers 5.
    let preparation: ConfigurationDocument?
    /// The pooling of a sentence-transformers model.
    let sentencePooling: ConfigurationDocument?
    /// The folder of all these files.
    let folder: FilePath

    /// The names of OpenCLIP's weights in a folder; the first that exists is used.
    private static let openCLIPNames = [
        "open_clip_model.safetensors", "open_clip_pytorch_model.safetensors",
        "open_clip_pytorch_model.bin", "open_clip_pytorch_model.pth",
    ]

    /// Opens weights: a file, or a folder written by Hugging Face's libraries, timm or OpenCLIP.
    ///
    /// - Throws: ``ModelFileError`` or `FileError`, which names the file.
    init(_ path: FilePath) throws {
        let isFolder = FileSystem.isDirectory(path)
        folder = Self.folder(of: path)
        let special = Self.openCLIPNames.map { [folder] in folder.appending($0) }
            .first(where: FileSystem.exists)
        let file = try TensorFile.open(isFolder ? special ?? path : path)
        self.path = file.path
        configuration = try ConfigurationDocument(folder.appending("config.json"))
        openCLIP = try ConfigurationDocument(folder.appending("open_clip_config.json"))
        preparation =
            try ConfigurationDocument(folder.appending("preprocessor_config.json"))
            ?? ConfigurationDocument(folder.appending("processor_config.json"))?
            .section("image_processor")
        sentencePooling = try ConfigurationDocument(folder.appending("1_Pooling/config.json"))
        elements = try Self.elements(file)
    }

    /// Returns the folder of a file, or a folder itself.
    static func folder(of path: FilePath) -> FilePath {
        FileSystem.isDirectory(path) ? path : path.removingLastComponent()
    }

    /// Returns the tensor of a name; nil if the file lacks it.
    func tensor(_ name: String) -> StoredTensor? { elements[name]?.tensor }

    /// Returns whether a tensor exists.
    func has(_ name: String) -> Bool { elements[name] != nil }

    /// Returns the names in the file of the tensors whose name satisfies a predicate.
    func sources(where matches: (String) -> Bool) -> [String] {
        elements.filter { matches($0.key) }.map(\.value.source)
    }

    /// Returns the shape of a tensor from which other sizes are derived.
    func shape(_ name: String, rank: Int) throws -> [Int] {
        guard let tensor = tensor(name) else { throw ModelFileError(path, .missing([name])) }
        guard tensor.shape.count == rank, tensor.shape.allSatisfy({ (1...1 << 24).contains($0) })
        else {
            throw ModelFileError(
                path,
                .tensor(
                    name: name,
                    problem: "should have \(rank) dimensions from 1 to \(1 << 24); its shape is "
                        + "\(tensor.shape)"))
        }
        return tensor.shape
    }

    /// Returns how many consecutive numbers, from 0, follow a prefix: the number of layers.
    func layers(_ prefix: String) -> Int {
        let numbers = Set(
            elements.keys.compactMap { name in
                name.hasPrefix(prefix)
                    ? Int(name.dropFirst(prefix.count).prefix { $0 != "." }) : nil
            })
        var count = 0
        while numbers.contains(count) { count += 1 }
        return count
    }

    private static func elements(
        _ file: TensorFile
    ) throws -> OrderedDictionary<String, Element> {
        guard let top = file.root.dictionary, let dictionary = model(in: top, depth: 0) else {
            throw ModelFileError(file.path, .noTensors)
        }
        let tensors = dictionary.tensors
        let wrapped = tensors.map { (source: $0.name, tensor: $0.tensor) }
        let names = TowerNames.plain(wrapped.map(\.source))
        var elements: OrderedDictionary<String, Element> = [:]
        for (name, (source, tensor)) in zip(names, wrapped) {
            if let other = elements[name] {
                throw ModelFileError(
                    file.path,
                    .tensor(
                        name: source, problem: "is the same parameter as \"\(other.source)\""))
            }
            elements[name] = Element(source: source, tensor: tensor)
        }
        return elements
    }

    /// Returns the dictionary that holds the model: the innermost wrapper with tensors.
    private static func model(
        in dictionary: CheckpointDictionary, depth: Int
    ) -> CheckpointDictionary? {
        for key in StateDictionary.wrappers {
            if depth < 3, let inner = dictionary[key]?.dictionary,
                let found = model(in: inner, depth: depth + 1)
            {
                return found
            }
        }
        return dictionary.tensors.isEmpty ? nil : dictionary
    }
}

/// The removal of the additions of programs from the names of tensors.
enum TowerNames {
    /// The names of the base model in classes that add a head to it.
    private static let bases = ["clip.", "siglip.", "vit.", "deit.", "bert.", "roberta.", "blip."]
    /// The names of the heads in such classes.
    private static let heads = [
        "cls.", "classifier.", "cls_classifier.", "distillation_classifier.", "lm_head.", "pooler.",
        "qa_outputs.", "visual_projection.", "text_projection.", "logit_scale",
    ]

    /// Returns the names without wrappers, without the base model's prefix and in PyTorch's words.
    static func plain(_ names: [String]) -> [String] {
        let names = names.map { name in
            var name = WrapperNames.stripped(name)
            for (old, new) in [(".gamma", ".weight"), (".beta", ".bias")]
            where name.hasSuffix("LayerNorm\(old)") {
                name = name.dropLast(old.count) + new
            }
            return name
        }
        // Only a prefix of all names is removed; Chinese-CLIP has `bert.` beside `visual.`.
        let base = bases.first { base in
            names.contains { $0.hasPrefix(base) }
                && names.allSatisfy { name in
                    name.hasPrefix(base) || heads.contains { name.hasPrefix($0) }
                }
        }
        guard let base else { return names }
        return names.map { $0.hasPrefix(base) ? String($0.dropFirst(base.count)) : $0 }
    }
}
