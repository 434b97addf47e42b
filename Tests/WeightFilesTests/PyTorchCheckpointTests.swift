import SystemPackage
import Testing
import Torch
import WeightFiles

@Suite struct PyTorchCheckpointTests {
    static func open(_ name: String) throws -> PyTorchCheckpoint {
        try PyTorchCheckpoint(WeightFixtures.checkpoints.appending(name), checksums: .all)
    }

    @Test(arguments: [("small.pth", PyTorchCheckpoint.Format.zip), ("small-legacy.pth", .legacy)])
    func readsTensorsOfEveryKind(name: String, format: PyTorchCheckpoint.Format) throws {
        let file = try Self.open(name)
        #expect(file.format == format)
        let root = try #require(file.root.dictionary)
        let tensors = try #require(root["model"]?.dictionary?.tensors)
        let expected = try SafetensorsFile(
            WeightFixtures.checkpoints.appending("small.safetensors"))
        #expect(tensors.count == expected.tensors.count)
        for (name, tensor) in expected.tensors {
            let found = try #require(tensors[name])
            #expect(found.isIdentical(to: tensor), "\(name)")
        }
        #expect(tensors.names.first == "plain" && tensors.names.last == "parameter")
        // Views share one storage.
        #expect(tensors["transposed"]?.storage === tensors["window"]?.storage)
        #expect(tensors["transposed"]?.isContiguous == false)
    }

    @Test(arguments: ["small.pth", "small-legacy.pth"])
    func readsPlainValues(name: String) throws {
        let root = try #require(try Self.open(name).root.dictionary)
        #expect(
            root.keys.map(\.description) == [
                "model", "optimizer", "config", "shape", "dtype", "device", "flags", "epoch",
            ])
        #expect(root["epoch"]?.int == 29)
        #expect(root["dtype"]?.string == "torch.float32")
        #expect(root["device"]?.string == "cuda:0")
        let config = try #require(root["config"]?.dictionary)
        #expect(config["name"]?.string == "größe")
        guard case .list(let sizes)? = config["sizes"], case .none? = config["none"] else {
            Issue.record("the configuration differs from the one in the file")
            return
        }
        #expect(sizes.map(\.int) == [1, 2, 300, 70000, -1, 1 << 40])
        let state = root["optimizer"]?.dictionary?["state"]?.dictionary?[.int(0)]?.dictionary
        #expect(state?["step"]?.int == 3)
        #expect(state?["exp_avg"]?.tensor?.shape == [2])
    }

    @Test func theContentDecidesTheFormat() throws {
        let html = try withFile(Array("\n<!DOCTYPE html><html>404".utf8)) { path in
            message { _ = try TensorFile.open(path) }
        }
        #expect(html.contains("web page"))
        let safetensors = WeightFixtures.checkpoints.appending("small.safetensors")
        #expect(message { _ = try PyTorchCheckpoint(safetensors) }.contains("a safetensors file"))
        guard case .safetensors = try TensorFile.open(safetensors) else {
            Issue.record("the file was not recognised as a safetensors file")
            return
        }
        for (text, reason) in [
            ("", "is empty"), ("{\"a\": 1}", "JSON"), ("\u{1F}\u{8B}", "no known format"),
            ("version https://git-lfs.github.com/spec/v1\n", "Git LFS"), ("Q", "no known format"),
        ] {
            let found = try withFile(Array(text.utf8)) { path in
                message { _ = try TensorFile.open(path) }
            }
            #expect(found.contains(reason), "\(found)")
        }
        var tar = [UInt8](repeating: 0x61, count: 512)
        tar.replaceSubrange(257..<262, with: Array("ustar".utf8))
        let found = try withFile(tar) { path in message { _ = try TensorFile.open(path) } }
        #expect(found.contains("tar archive"))
        #expect(message { _ = try TensorFile.open("/nowhere.pth") }.contains("/nowhere.pth"))
    }

    @Test(arguments: ["small.pth", "small-legacy.pth", "lavis-part-legacy.pth"])
    func everyTruncationIsAnError(name: String) throws {
        let whole = try bytes(of: WeightFixtures.checkpoints.appending(name))
        let step = max(1, whole.count / 200)
        for length in stride(from: 0, to: whole.count, by: step) {
            let text = try withFile(Array(whole[..<length])) { path in
                message { _ = try TensorFile.open(path) }
            }
            #expect(text != "", "\(length) bytes of \(whole.count)")
        }
    }

    @Test(arguments: ["small.pth", "small-legacy.pth"])
    func flippedBytesNeverCrash(name: String) throws {
        let whole = try bytes(of: WeightFixtures.checkpoints.appending(name))
        var random = SplitMix(state: 7)
        for _ in 0..<3000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            try withFile(bytes) { path in
                guard let file = try? PyTorchCheckpoint(path, checksums: .none) else { return }
                // A file that still opens must be complete.
                for (_, tensor) in file.root.dictionary?["model"]?.dictionary?.tensors ?? .init() {
                    #expect(tensor.withUnsafeBytes { $0.count } == tensor.byteCount)
                }
            }
        }
    }

    @Test func bigEndianDataIsSwapped() throws {
        let pickle = PickleBuilder().tensor(elements: 4, shape: [4], strides: [1]) + "."
        var zip = ZipBuilder()
        zip.add("a/data.pkl", pickle.bytes)
        zip.add("a/byteorder", Array("big".utf8))
        zip.add("a/data/0", Array(0..<16))
        let read = try withFile(zip.bytes()) { path in
            try PyTorchCheckpoint(path).root.tensor?.withUnsafeBytes { Array($0) }
        }
        #expect(read == [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12])
    }

    @Test(
        .enabled(if: WeightFixtures.hasGolden),
        arguments: [
            ("albef/pretrain/checkpoint_after3.pth", "albef/pretrain/after3.safetensors"),
            ("lavis/pretrain/checkpoint_after3.pth", "lavis/pretrain/after3.safetensors"),
            ("lavis/pretrain/checkpoint_initial_cuda_tag.pth", "lavis/pretrain/state.safetensors"),
            ("lavis/pretrain/checkpoint_small_legacy.pth", "lavis/pretrain/state.safetensors"),
        ])
    func agreesWithTheReference(name: String, expected: String) throws {
        let file = try PyTorchCheckpoint(WeightFixtures.golden.appending(name), checksums: .all)
        let tensors = try #require(file.root.dictionary?["model"]?.dictionary?.tensors)
        let reference = try SafetensorsFile(WeightFixtures.golden.appending(expected)).tensors
        #expect(!tensors.isEmpty)
        if file.format == .zip { #expect(tensors.count == reference.count) }
        for (name, tensor) in tensors {
            let other = try #require(reference[name] ?? reference["after3/\(name)"])
            #expect(tensor.shape == other.shape && tensor.dtype == other.dtype)
            #expect(tensor.isClose(to: other), "\(name)")
        }
    }
}

extension StoredTensor {
    /// Returns whether the values agree with a reference in double precision.
    func isClose(to other: StoredTensor) -> Bool {
        guard dtype == .float32, shape == other.shape else { return isIdentical(to: other) }
        return withUnsafeBytes { mine in
            other.withUnsafeBytes { theirs in
                zip(mine.bindMemory(to: Float.self), theirs.bindMemory(to: Float.self))
                    .allSatisfy { abs($0 - $1) <= 4e-3 }
            }
        }
    }
}
