import SystemPackage
import Testing
import Torch
import WeightFiles

@Suite struct SafetensorsTests {
    static func file(_ header: String, data: [UInt8]) -> [UInt8] {
        littleEndian(UInt64(header.utf8.count)) + Array(header.utf8) + data
    }

    static func open(_ bytes: [UInt8]) throws -> SafetensorsFile {
        try withFile(bytes) { try SafetensorsFile($0) }
    }

    static let good = file(
        #"{"__metadata__":{"a":"b"},"x":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"#
            + #""y":{"dtype":"I64","shape":[],"data_offsets":[8,16]}}"#,
        data: Array(0..<16))

    @Test func readsNamesTypesAndBytes() throws {
        let file = try Self.open(Self.good)
        #expect(file.tensors.names == ["x", "y"])
        #expect(file.metadata == ["a": "b"])
        let x = try file.tensor("x")
        #expect(x.dtype == .float32 && x.shape == [2, 1] && x.strides == [1, 1])
        #expect(x.withUnsafeBytes { Array($0) } == Array(0..<8))
        let y = try file.tensor("y")
        #expect(y.dtype == .int64 && y.shape == [] && y.elementCount == 1)
        #expect(y.withUnsafeBytes { Array($0) } == Array(8..<16))
        #expect(message { _ = try file.tensor("z") }.hasSuffix("has no tensor \"z\""))
    }

    @Test func misalignedTensorsAreCopied() throws {
        let header =
            #"{"u":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"#
            + #""v":{"dtype":"F64","shape":[1],"data_offsets":[1,9]}}"#
        let file = try Self.open(Self.file(header, data: Array(0..<9)))
        let v = try file.tensor("v")
        #expect(UInt(bitPattern: v.unsafeBaseAddress) % 8 == 0)
        #expect(v.withUnsafeBytes { Array($0) } == Array(1..<9))
    }

    @Test(arguments: [
        (#"{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, "needs 8"),
        (#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}"#, "needs 4"),
        (#"{"x":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}"#, "unsupported type F99"),
        (#"{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, "no valid shape"),
        (#"{"x":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}"#, "no valid shape"),
        (
            #"{"x":{"dtype":"F32","shape":[9223372036854775807,2],"data_offsets":[0,4]}}"#,
            "no valid shape"
        ),
        (#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, "no valid data_offsets"),
        (#"{"x":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}"#, "cut short"),
        (#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, "follow the last tensor"),
        (#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, "leaves a hole"),
        (
            #"{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#
                + #""y":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, "overlaps"
        ),
        (#"{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"x":{}}"#, "repeats \"x\""),
        (#"{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"z":1}}"#, "unknown field"),
        (#"{"__metadata__":{"a":1}}"#, "__metadata__"),
        (#"[]"#, "not a JSON object"),
        (#"{"x":"#, "expected a value"),
        (#"{} {}"#, "text after its end"),
    ])
    func refusesDamagedHeaders(header: String, reason: String) throws {
        try withFile(Self.file(header, data: Array(repeating: 0, count: 8))) { path in
            let text = message { _ = try SafetensorsFile(path) }
            #expect(text.contains(reason), "\(text)")
            #expect(text.hasPrefix(path.string))
        }
    }

    @Test func refusesDeepNesting() {
        let header = String(repeating: "[", count: 100_000)
        let text = message { _ = try Self.open(Self.file(header, data: [])) }
        #expect(text.contains("nested too deep"))
    }

    @Test func everyTruncationIsAnError() throws {
        for length in 0..<Self.good.count {
            #expect(message { _ = try Self.open(Array(Self.good[..<length])) } != "")
        }
    }

    @Test func flippedHeadersNeverCrash() throws {
        var random = SplitMix(state: 1)
        for _ in 0..<2000 {
            var bytes = Self.good
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count - 16, using: &random)
                bytes[place] = UInt8.random(in: 0...255, using: &random)
            }
            // A file that still opens must be complete.
            guard let file = try? Self.open(bytes) else { continue }
            for (_, tensor) in file.tensors {
                #expect(tensor.withUnsafeBytes { $0.count } == tensor.byteCount)
            }
        }
    }

    @Test func writesWhatItReads() throws {
        try withFile([], writesWhatItReads(to:))
    }

    func writesWhatItReads(to path: FilePath) throws {
        let a = StoredTensor(dtype: .uint8, shape: [3], bytes: [1, 2, 3])
        let b = StoredTensor(dtype: .float32, shape: [1, 2], bytes: 0..<8)
        var seen: [UInt8] = []
        try SafetensorsWriter.write(
            [.init(name: "a", tensor: a), .init(name: "b\"\n", tensor: b)],
            metadata: ["k": "ü", "c": "d"], to: path, observe: { seen += Array($0) })
        let written = try bytes(of: path)
        #expect(seen == written)
        let header =
            #"{"__metadata__":{"c":"d","k":"ü"},"#
            + #""b\"\n":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"#
            + #""a":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}}"#
        let padding = (64 - (header.utf8.count + 8) % 64) % 64
        #expect(
            written
                == Self.file(
                    header + String(repeating: " ", count: padding), data: Array(0..<8) + [1, 2, 3])
        )
        let file = try SafetensorsFile(path)
        #expect(file.headerByteCount % 64 == 0)
        #expect(try file.tensor("a").isIdentical(to: a))
        #expect(try file.tensor("b\"\n").isIdentical(to: b))
    }

    @Test func aFailedWriteLeavesTheOldFile() throws {
        let short = SafetensorsWriter.Entry(name: "s", dtype: .uint8, shape: [2]) { sink in
            try [UInt8(1)].withUnsafeBytes { try sink($0) }
        }
        try withFile([7]) { path in
            let text = message { try SafetensorsWriter.write([short], to: path) }
            #expect(text.contains("\"s\"") && text.contains("more or fewer bytes than"))
            let kept = try bytes(of: path)
            #expect(kept == [7])
        }
    }

    @Test func missingAndOddFiles() throws {
        #expect(
            message { _ = try SafetensorsFile("/nowhere/x") }.contains("/nowhere/x: cannot open"))
        #expect(message { _ = try SafetensorsFile("/tmp") }.contains("not a regular file"))
        #expect(message { _ = try Self.open([]) }.contains("is empty"))
        let long = littleEndian(UInt64.max) + Array("{}".utf8)
        #expect(message { _ = try Self.open(long) }.contains("absurdly large"))
        let over = littleEndian(UInt64(1 << 40)) + Array("{}".utf8)
        #expect(message { _ = try Self.open(over) }.contains("limit"))
    }
}

@Suite struct StoredTensorTests {
    @Test func stridedViewsBecomeDense() throws {
        // A 2 x 3 matrix stored by columns.
        let storage = TensorStorage(byteCount: 6) { $0.copyBytes(from: [0, 3, 1, 4, 2, 5]) }
        let view = try StoredTensor(
            dtype: .uint8, shape: [2, 3], strides: [1, 2], storage: storage)
        #expect(!view.isContiguous)
        #expect(view.withUnsafeBytes { Array($0) } == [0, 1, 2, 3, 4, 5])
        #expect(view.contiguous().isIdentical(to: view))
    }

    @Test func viewsOutsideTheirStorageAreRefused() {
        let storage = TensorStorage(byteCount: 8) { _ in }
        func make(_ shape: [Int], _ strides: [Int]?, _ offset: Int) -> Bool {
            (try? StoredTensor(
                dtype: .float32, shape: shape, strides: strides, storage: storage,
                byteOffset: offset)) != nil
        }
        #expect(make([2], nil, 0) && make([1], [5], 4) && make([0], nil, 0))
        #expect(!make([3], nil, 0) && !make([2], nil, 4) && !make([2], [2], 0))
        #expect(!make([2], [-1], 4) && !make([-1], nil, 0) && !make([1], nil, -4))
        #expect(!make([1 << 40], [0], 0) && !make([2], [.max], 0) && !make([2, 1], [1], 0))
        #expect(!make([1 << 62, 4], nil, 0) && make([4], [0], 0))
    }
}
