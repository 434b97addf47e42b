import ALBEF
import Storage
import SystemPackage
import Torch
import WeightFiles

extension Parser {
    static let weights = [
        // The description of tensors in a checkpoint, in an archive whose other parts are valid.
        Parser("pickle") { bytes in
            let zero = [UInt8](repeating: 0, count: 256)
            let archive = StoredArchive([
                ("archive/data.pkl", bytes), ("archive/data/0", zero),
                ("archive/data/1", Array(zero.prefix(16))),
            ])
            let file = try MappedFile(Scratch.write(archive.bytes, to: "archive.pth"))
            use(try PyTorchCheckpoint(file, checksums: .none).root)
        },
        Parser("checkpoint") { bytes in
            let file = try MappedFile(Scratch.write(bytes, to: "whole.pth"))
            use(try PyTorchCheckpoint(file, checksums: .none).root)
        },
        // Without checksums to pass, and with the index of a checkpoint in several files.
        Parser("safetensors") { bytes in
            let path = try Scratch.write(bytes, to: "model.safetensors.index.json")
            _ = TensorFile.fault(of: path)
            use(try TensorFile.open(path).root)
        },
        Parser("config") { bytes in
            let folder = Scratch.folder
            _ = try Scratch.write(bytes, to: "config.json")
            _ = try Scratch.write(emptyWeights, to: "model.safetensors")
            do { _ = try ModelDirectory.open(folder) } catch {
                // Only its weights and its vocabulary are missing.
                if "\(error)".contains("config.json") { throw error }
            }
        },
    ]

    private static let emptyWeights: [UInt8] = [2, 0, 0, 0, 0, 0, 0, 0] + Array("{}".utf8)

    private static func use(_ value: CheckpointValue) {
        switch value {
        case .tensor(let tensor): use(tensor)
        case .list(let values): for value in values { use(value) }
        case .dictionary(let dictionary):
            _ = dictionary.tensors.names
            for (key, value) in dictionary {
                _ = key.description
                use(value)
            }
        default: break
        }
    }

    private static func use(_ tensor: StoredTensor) {
        _ = try? Tensor(tensor)
        // A view may repeat few bytes up to a limit that takes long to copy.
        guard tensor.elementCount <= 1 << 12 else { return }
        _ = tensor.withUnsafeBytes { $0.reduce(0) { $0 &+ $1 } }
    }
}
