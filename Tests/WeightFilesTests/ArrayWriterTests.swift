import Foundation
import Storage
import SystemPackage
import TestSupport
import Testing
import Torch
import WeightFiles

@Suite("Arrays for Python")
struct ArrayWriterTests {
    private static let image = RowArray.LabelColumn(name: "image_paths", key: "image")
    private static let text = RowArray.LabelColumn(name: "texts", key: "text")

    /// Two arrays: three rows with the paths of images, and two rows with texts.
    private static let arrays = [
        RowArray(name: "image_features", dtype: .float32, rowShape: [2], labels: [image]),
        RowArray(name: "text_features", dtype: .float16, rowShape: [], labels: [text]),
    ]
    /// A path that is not UTF-8.
    private static let odd = FilePath(bytes: Data("/p/b".utf8) + Data([0xFF, 0xE7]))

    private static func write(_ path: FilePath) throws {
        let writer = try ArrayWriter(path, arrays, metadata: ["kind": "aligned"])
        try writer.append(
            Tensor([1, 2, 3, 4] as [Float], shape: [2, 2]),
            labels: [[RowLabel(FilePath("/p/狗.jpg"))], [RowLabel(odd)]])
        try writer.append(
            Tensor([5, 6] as [Float], shape: [1, 2]), labels: [[RowLabel(FilePath("/p/c.jpg"))]])
        try writer.endArray()
        try writer.append(
            Tensor([0.5, -2] as [Float]),
            labels: [[RowLabel("a \"dog\"\n")], [RowLabel("一只狗👍")]])
        #expect(writer.rowCounts == [3, 2])
        try writer.commit()
    }

    private static func header(_ dictionary: String, padding: Int) -> [UInt8] {
        let text = dictionary + String(repeating: " ", count: padding) + "\n"
        return [0x93] + Array("NUMPY".utf8) + [1, 0]
            + [UInt8(text.utf8.count & 0xFF), UInt8(text.utf8.count >> 8)] + Array(text.utf8)
    }

    @Test("A .npy file has NumPy's bytes, however many rows there are")
    func npy() async throws {
        let values: [Float] = [1, 2, 3, 4, 5, 6]
        for (rowShape, rows, shape) in [
            ([2], 3, "(3, 2)"), ([], 6, "(6,)"), ([1, 3], 2, "(2, 1, 3)"), ([2], 0, "(0, 2)"),
        ] as [([Int], Int, String)] {
            try await Fixtures.withTemporaryFolder { folder in
                let path = folder.appending("a.npy")
                let array = RowArray(name: "a", dtype: .float32, rowShape: rowShape)
                let writer = try ArrayWriter(path, [array])
                #expect(writer.labelPath == nil)
                let count = rows * rowShape.reduce(1, *)
                try writer.append(Tensor(Array(values.prefix(count)), shape: [rows] + rowShape))
                try writer.commit()
                let dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': \(shape), }"
                let data = values.prefix(count).flatMap { withUnsafeBytes(of: $0, Array.init) }
                #expect(
                    try bytes(of: path)
                        == Self.header(dictionary, padding: 117 - dictionary.utf8.count) + data)
                #expect(
                    try FileManager.default.contentsOfDirectory(atPath: folder.string).count == 1)
            }
        }
    }

    @Test("A .npz archive has the headers and checksums of numpy.savez")
    func npz() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let path = folder.appending("a.npz")
            let writer = try ArrayWriter(
                path, [RowArray(name: "a", dtype: .uint8, rowShape: [])])
            try writer.append(Tensor([7, 8] as [UInt8]))
            try writer.commit()
            let dictionary = "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }"
            let content: [UInt8] = [7, 8]
            let member =
                Self.header(dictionary, padding: 117 - dictionary.utf8.count) + content
            let checksum = littleEndian(member.withUnsafeBytes { CRC32.checksum($0) })
            let (name, size) = (Array("a.npy".utf8), UInt32(member.count))
            // Version 4.5, stored, 1 January 1980; sizes in a field of ZIP64.
            var local: [UInt8] = [0x50, 0x4B, 3, 4, 45, 0, 0, 0, 0, 0, 0, 0, 0x21, 0]
            local += checksum
            local += [UInt8](repeating: 0xFF, count: 8)
            local += [5, 0, 20, 0]
            local += name
            local += [1, 0, 16, 0]
            local += littleEndian(UInt64(size))
            local += littleEndian(UInt64(size))
            var central: [UInt8] = [
                0x50, 0x4B, 1, 2, 45, 3, 45, 0, 0, 0, 0, 0, 0, 0, 0x21, 0,
            ]
            central += checksum
            central += littleEndian(size)
            central += littleEndian(size)
            central += [5, 0, 0, 0, 0, 0, 0, 0, 0, 0]
            central += littleEndian(UInt32(0o100644 << 16))
            central += littleEndian(UInt32(0))
            central += name
            var end: [UInt8] = [0x50, 0x4B, 5, 6, 0, 0, 0, 0, 1, 0, 1, 0]
            end += littleEndian(UInt32(central.count))
            end += littleEndian(UInt32(local.count + member.count))
            end += [0, 0]
            var wanted = local
            wanted += member
            wanted += central
            wanted += end
            #expect(try bytes(of: path) == wanted)
        }
    }

    @Test("The checksum of joined bytes is that of all of them")
    func checksums() {
        var random = SplitMix(state: 2)
        for _ in 0..<50 {
            let bytes = (0..<Int.random(in: 0...2000, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            let cut = Int.random(in: 0...bytes.count, using: &random)
            var (first, second) = (CRC32(), CRC32())
            bytes[..<cut].withUnsafeBytes { first.update($0) }
            bytes[cut...].withUnsafeBytes { second.update($0) }
            first.append(second, count: bytes.count - cut)
            #expect(first.value == bytes.withUnsafeBytes { CRC32.checksum($0) })
        }
    }

    @Test("NumPy reads every array and label without pickle", .enabled(if: Python.hasNumPy))
    func numpy() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let path = folder.appending("a.npz")
            try Self.write(path)
            let script = """
                import os, sys, zipfile, numpy
                assert zipfile.ZipFile(sys.argv[1]).testzip() is None
                with numpy.load(sys.argv[1], allow_pickle=False) as file:
                    assert file.files == ["image_features", "image_paths", "text_features", "texts"]
                    images, paths = file["image_features"], file["image_paths"]
                    assert images.dtype == "f4" and images.tolist() == [[1, 2], [3, 4], [5, 6]]
                    assert paths.shape == (3,) and paths[0] == "/p/狗.jpg" and paths[2] == "/p/c.jpg"
                    assert os.fsencode(str(paths[1])) == b"/p/b\\xff\\xe7"
                    assert file["text_features"].dtype == "f2"
                    assert file["text_features"].tolist() == [0.5, -2]
                    assert file["texts"].tolist() == ['a "dog"\\n', "一只狗👍"]
                """
            #expect(try Python.run(script, [path.string]) == "")
        }
    }

    @Test("A .npy file equals the one that numpy.save writes", .enabled(if: Python.hasNumPy))
    func equalsNumPy() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            for (dtype, name) in [
                (DType.float32, "f4"), (.float16, "f2"), (.float64, "f8"), (.int64, "i8"),
                (.int32, "i4"), (.int16, "i2"), (.int8, "i1"), (.uint8, "u1"), (.bool, "?"),
            ] {
                let path = folder.appending("\(dtype).npy")
                let writer = try ArrayWriter(
                    path, [RowArray(name: "a", dtype: dtype, rowShape: [2, 1])])
                let rows = Tensor([0, 1, 1, 0] as [Float], shape: [2, 2, 1])
                for _ in 0..<50 { try writer.append(rows) }
                try writer.commit()
                let script = """
                    import io, sys, numpy
                    array = numpy.array([0, 1, 1, 0] * 50, sys.argv[2]).reshape(100, 2, 1)
                    numpy.save(saved := io.BytesIO(), array)
                    assert open(sys.argv[1], "rb").read() == saved.getvalue()
                    """
                #expect(try Python.run(script, [path.string, name]) == "", "\(dtype)")
            }
        }
    }

    @Test("Members beyond 4 GiB have 64-bit sizes and offsets", .enabled(if: Python.hasNumPy))
    func large() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let path = folder.appending("a.npz")
            #expect(FileManager.default.createFile(atPath: path.string, contents: nil))
            let file = try FileHandle(forWritingTo: URL(filePath: path.string))
            // A hole of 5 GiB, which takes no disk space.
            let byteCount = 5 << 30
            var first = ZipMember(name: "hole.npy", offset: 0)
            first.byteCount = byteCount
            try file.write(contentsOf: Data(first.header))
            let start = first.header.count + byteCount
            try file.seek(toOffset: UInt64(start))
            var second = ZipMember(name: "b.npy", offset: start)
            let content = Array("far away".utf8)
            second.byteCount = content.count
            second.checksum = content.withUnsafeBytes { CRC32.checksum($0) }
            try file.write(contentsOf: Data(second.header + content))
            let end = start + second.header.count + content.count
            try file.write(contentsOf: Data(ZipMember.directory([first, second], at: end)))
            try file.close()
            let script = """
                import sys, zipfile
                archive = zipfile.ZipFile(sys.argv[1])
                assert [(x.filename, x.file_size) for x in archive.infolist()] == [
                    ("hole.npy", 5 << 30), ("b.npy", 8)]
                assert archive.open("hole.npy").read(3) == bytes(3)
                assert archive.read("b.npy") == b"far away"
                """
            #expect(try Python.run(script, [path.string]) == "")
        }
    }

    @Test("A safetensors file has its labels beside it, one line per row")
    func safetensors() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let path = folder.appending("a.safetensors")
            try Self.write(path)
            let file = try SafetensorsFile(path)
            #expect(file.metadata == ["kind": "aligned"] && file.headerByteCount % 64 == 0)
            let images = try Tensor(file.tensor("image_features"))
            #expect(images.shape == [3, 2] && images.values() == [1, 2, 3, 4, 5, 6] as [Float])
            let texts = try Tensor(file.tensor("text_features"))
            #expect(texts.dtype == .float16 && texts.values() == [0.5, -2] as [Float])
            let lines = try String(
                contentsOfFile: folder.appending("a.jsonl").string, encoding: .utf8
            ).split(separator: "\n").map {
                try JSONDecoder().decode([String: String].self, from: Data($0.utf8))
            }
            #expect(lines.count == 5 && lines[0] == ["image": "/p/狗.jpg"])
            let exact = Data(Array("/p/b".utf8) + [0xFF, 0xE7]).base64EncodedString()
            #expect(lines[1]["image_base64"] == exact)
            #expect(lines[3] == ["text": "a \"dog\"\n"] && lines[4] == ["text": "一只狗👍"])
        }
    }

    @Test("A writer that is released without a commit leaves nothing, and the old file as it was")
    func interrupted() async throws {
        for name in ["a.npz", "a.safetensors"] {
            try await Fixtures.withTemporaryFolder { folder in
                let path = folder.appending(name)
                try Data("old".utf8).write(to: URL(filePath: path.string))
                do {
                    let writer = try ArrayWriter(path, Self.arrays)
                    try writer.append(.ones([1, 2]), labels: [[RowLabel(Self.odd)]])
                }
                #expect(
                    try FileManager.default.contentsOfDirectory(atPath: folder.string) == [name])
                #expect(try bytes(of: path) == Array("old".utf8))
            }
        }
    }

    @Test("Names what a file cannot hold")
    func mistakes() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            func text(_ name: String, _ arrays: [RowArray]) -> String {
                message { _ = try ArrayWriter(folder.appending(name), arrays) }
            }
            #expect(text("a.csv", Self.arrays).contains("ends in .npz, .npy, .safetensors"))
            #expect(text("a.npy", Self.arrays).contains("holds one array, not 2"))
            let twice = [Self.arrays[0], Self.arrays[0]]
            #expect(text("a.npz", twice).contains("\"image_features\" needs another name"))
            let short = RowArray(name: "b", dtype: .bfloat16, rowShape: [])
            #expect(text("a.npz", [short]).contains("bfloat16, which NumPy lacks"))
            #expect(text("a.safetensors", [short]).isEmpty)
            #expect(text("none/a.npz", Self.arrays).contains("none/a.npz: cannot create it"))
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.string)
            #expect(left.isEmpty)
        }
    }
}
