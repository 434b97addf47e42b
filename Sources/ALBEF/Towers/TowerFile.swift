import Storage
import WeightFiles
import OrderedCollections
import SystemPackage
import Torch

/// Weights of another project, with the documents that lie beside them.
struct TowerFile {
    /// One tensor, under the name that layouts know.
    struct Element {
        /// The name in the file.
        let source: String
        let tensor: StoredTensor
    }

    /// The weights, or the index of their parts.
    let path: FilePath
    /// By name, without what programs and wrappers put around the names.
    let elements: OrderedDictionary<String, Element>
    /// Hugging Face's or timm's `config.json`.
    let configuration: ConfigurationDocument?
    /// OpenCLIP's `open_clip_config.json`.
    let openCLIP: ConfigurationDocument?
    /// Hugging Face's `preprocessor_config.json`, or the part of `processor_config.json` that
    /// transformers 5 has instead: how images are prepared.
    let preparation: ConfigurationDocument?
    /// How sentence-transformers pools what its model gives.
    let sentencePooling: ConfigurationDocument?
    /// The folder that all these are in.
    let folder: FilePath

    /// Where OpenCLIP keeps weights in a folder of its own, the first that is there counts.
    private static let openCLIPNames = [
        "open_clip_model.safetensors", "open_clip_pytorch_model.safetensors",
        "open_clip_pytorch_model.bin", "open_clip_pytorch_model.pth",
    ]

    /// Opens weights: a file, or a folder that Hugging Face's libraries, timm or OpenCLIP wrote.
    ///
    /// - Throws: ``ModelFileError`` or `FileError` that names the file.
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

    /// The folder of a file; a folder itself.
    static func folder(of path: FilePath) -> FilePath {
        FileSystem.isDirectory(path) ? path : path.removingLastComponent()
    }

    /// The tensor of a name.
    func tensor(_ name: String) -> StoredTensor? { elements[name]?.tensor }

    /// Whether a tensor is there.
    func has(_ name: String) -> Bool { elements[name] != nil }

    /// The names in the file of the tensors that match.
    func sources(where matches: (String) -> Bool) -> [String] {
        elements.filter { matches($0.key) }.map(\.value.source)
    }

    /// The shape of a tensor that everything else depends on.
    func shape(_ name: String, rank: Int) throws -> [Int] {
        guard let tensor = tensor(name) else { throw ModelFileError(path, .missing([name])) }
        guard tensor.shape.count == rank, tensor.shape.allSatisfy({ (1...1 << 24).contains($0) })
        else {
            throw ModelFileError(
                path,
                .tensor(
                    name: name,
                    problem: "should have \(rank) dimensions; its shape is \(tensor.shape)"))
        }
        return tensor.shape
    }

    /// How many layers there are: one more than the last number behind a prefix, as far as no
    /// number is left out.
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
                    file.path, .tensor(name: source, problem: "is the same as \"\(other.source)\""))
            }
            elements[name] = Element(source: source, tensor: tensor)
        }
        return elements
    }

    /// The dictionary that holds the model: the outermost one with tensors in it.
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

/// What programs put around the names of tensors.
enum TowerNames {
    /// What classes with a head call the model inside them.
    private static let bases = ["clip.", "siglip.", "vit.", "deit.", "bert.", "roberta.", "blip."]
    /// What such a class has beside it.
    private static let heads = [
        "cls.", "classifier.", "cls_classifier.", "distillation_classifier.", "lm_head.", "pooler.",
        "qa_outputs.", "visual_projection.", "text_projection.", "logit_scale",
    ]

    /// The names without wrappers, the base model's prefix and TensorFlow's words.
    static func plain(_ names: [String]) -> [String] {
        let names = names.map { name in
            var name = WrapperNames.stripped(name)
            for (old, new) in [(".gamma", ".weight"), (".beta", ".bias")]
            where name.hasSuffix("LayerNorm\(old)") {
                name = name.dropLast(old.count) + new
            }
            return name
        }
        // Only if all have it: Chinese-CLIP's `bert.` stands beside `visual.` and is no prefix.
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
