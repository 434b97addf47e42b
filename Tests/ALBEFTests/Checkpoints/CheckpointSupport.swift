import ALBEF
import Storage
import SystemPackage
import TestSupport
import Torch
import WeightFiles

/// The folders of checkpoint fixtures.
enum CheckpointFiles {
    static let root = Fixtures.repository
    static let fixtures = root.appending("Tests/Fixtures/checkpoints")
    static let golden = root.removingLastComponent().appending("shared/golden")
    static let hasGolden = access(golden.string, R_OK) == 0
}

/// Calls a closure with an empty directory that is removed afterwards, two levels deep.
func withScratch<Result>(_ body: (FilePath) throws -> Result) throws -> Result {
    let number = String(UInt64.random(in: 0 ... .max), radix: 36)
    let path = FilePath("/tmp/swift-albef-test-\(number)")
    mkdir(path.string, 0o755)
    defer { removeTree(path) }
    return try body(path)
}

private func removeTree(_ path: FilePath) {
    if unlink(path.string) == 0 { return }
    guard let directory = opendir(path.string) else { return }
    while let entry = readdir(directory) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != ".", name != ".." { removeTree(path.appending(name)) }
    }
    closedir(directory)
    rmdir(path.string)
}

func names(in path: FilePath) -> [String] {
    guard let directory = opendir(path.string) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
}

func write(_ text: String, to path: FilePath) throws {
    let file = try FileDescriptor.open(
        path, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
    try file.closeAfter { _ = try file.writeAll(text.utf8) }
}

func text(of path: FilePath) throws -> String {
    try MappedFile(path).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
}

/// Writes a vocabulary of `count` lines.
func writeVocabulary(_ count: Int, to path: FilePath) throws {
    try write((0..<count).map { "word\($0)\n" }.joined(), to: path)
}

/// Returns the text of the error that a closure throws; "" if it throws none.
func failure(_ body: () throws -> Void) -> String {
    do {
        try body()
        return ""
    } catch {
        return "\(error)"
    }
}

/// Small checkpoints in the layouts of the Python implementations.
struct SampleCheckpoint {
    var tensors: [(name: String, tensor: StoredTensor)] = []

    static func configuration(
        _ task: ALBEFConfiguration.Task, _ dialect: Dialect
    ) -> ALBEFConfiguration {
        ALBEFConfiguration(
            dialect: dialect, task: task,
            vision: .init(
                imageSize: 32, patchSize: 16, width: 8, depth: 2, heads: 2, mlpWidth: 16),
            text: .init(
                vocabularySize: 20, width: 12, depth: task == .nlvr ? 6 : 4, fusionLayer: 2,
                heads: 3, mlpWidth: 24, positions: 10, maximumTokens: 10),
            embeddingWidth: [.pretraining, .retrieval].contains(task) ? 6 : 256)
    }

    /// Every tensor of the official file of a task: parameters, twins, queues, duplicates.
    init(_ task: ALBEFConfiguration.Task, _ dialect: Dialect) {
        let configuration = SampleCheckpoint.configuration(task, dialect)
        let retrieves = [.pretraining, .retrieval].contains(task)
        for parameter in ParameterLayout(configuration).parameters {
            let name = SampleCheckpoint.original(parameter.name, task)
            let tensor = SampleCheckpoint.floats(parameter.shape, seed: tensors.count)
            tensors.append((name, tensor))
            let parts = name.split(separator: ".", maxSplits: 1)
            if parts.count == 2, parts[0] != "itm_head" {
                let other = SampleCheckpoint.floats(parameter.shape, seed: -tensors.count)
                tensors.append(("\(parts[0])_m.\(parts[1])", other))
            }
        }
        if task == .nlvr { shareProjections() }
        let bert = task == .pretraining ? ".bert" : ""
        addDuplicates("text_encoder\(bert)", head: task == .pretraining ? "text_encoder" : nil)
        if task == .vqa { addDuplicates("text_decoder.bert", head: "text_decoder") }
        if retrieves {
            tensors.append(("image_queue", SampleCheckpoint.floats([6, 4], seed: 1)))
            tensors.append(("text_queue", SampleCheckpoint.floats([6, 4], seed: 2)))
            tensors.append(("queue_ptr", SampleCheckpoint.integers([0])))
        }
        if task == .retrieval {
            let head = SampleCheckpoint.floats([20], seed: 3)
            tensors.append(("text_encoder.cls.predictions.bias", head))
            tensors.append(("text_encoder_m.cls.predictions.bias", head))
        }
    }

    static func floats(_ shape: [Int], seed: Int) -> StoredTensor {
        let values = (0..<shape.reduce(1, *)).map { Float(seed) + Float($0) / 1024 }
        let bytes = values.flatMap { value in
            withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
        }
        return StoredTensor(dtype: .float32, shape: shape, bytes: bytes)
    }

    static func integers(_ values: [Int64], shape: [Int]? = nil) -> StoredTensor {
        let bytes = values.flatMap { value in
            withUnsafeBytes(of: value.littleEndian) { Array($0) }
        }
        return StoredTensor(dtype: .int64, shape: shape ?? [values.count], bytes: bytes)
    }

    /// The fine-tuned models have no `bert.` in the names of their text encoder.
    private static func original(_ name: String, _ task: ALBEFConfiguration.Task) -> String {
        let prefix = "text_encoder.bert."
        guard task != .pretraining, name.hasPrefix(prefix) else { return name }
        return "text_encoder." + name.dropFirst(prefix.count)
    }

    private mutating func shareProjections() {
        for layer in [2, 4] {
            for part in ["key.weight", "key.bias", "value.weight", "value.bias"] {
                for module in ["text_encoder", "text_encoder_m"] {
                    let prefix = "\(module).encoder.layer."
                    let tensor = self["\(prefix)\(layer).crossattention.self.\(part)"]
                    self["\(prefix)\(layer + 1).crossattention.self.\(part)"] = tensor
                }
            }
        }
    }

    private mutating func addDuplicates(_ bert: String, head: String?) {
        for twin in ["", "_m"] {
            let module = bert.prefix { $0 != "." }
            let encoder = "\(module)\(twin)" + bert.dropFirst(module.count)
            let ids = SampleCheckpoint.integers(Array(0..<10), shape: [1, 10])
            tensors.append(("\(encoder).embeddings.position_ids", ids))
            guard let head else { continue }
            let predictions = "\(head)\(twin).cls.predictions"
            self["\(predictions).decoder.weight"] =
                self["\(encoder).embeddings.word_embeddings.weight"]
            self["\(predictions).decoder.bias"] = self["\(predictions).bias"]
        }
    }

    subscript(name: String) -> StoredTensor? {
        get { tensors.first { $0.name == name }?.tensor }
        set {
            let place = tensors.firstIndex { $0.name == name }
            if let place { tensors.remove(at: place) }
            if let newValue { tensors.insert((name, newValue), at: place ?? tensors.count) }
        }
    }

    /// Writes the checkpoint and imports it.
    func load(_ change: (inout CheckpointImporter.Options) -> Void = { _ in }) throws
        -> ImportedModel
    {
        var options = CheckpointImporter.Options()
        (options.visionHeads, options.textHeads) = (2, 3)
        change(&options)
        return try withScratch { folder in
            let path = folder.appending("checkpoint.pth")
            try SafetensorsWriter.write(
                tensors.map { .init(name: $0.name, tensor: $0.tensor) }, to: path)
            return try CheckpointImporter(options).load(path)
        }
    }
}
