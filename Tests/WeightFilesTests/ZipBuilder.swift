import Torch
import WeightFiles

/// Assembles zip archives byte by byte, valid and invalid ones.
struct ZipBuilder {
    struct Entry {
        var name: String
        var data: [UInt8]
        var method: UInt16 = 0
        var flags: UInt16 = 0
        /// Added to the true checksum.
        var checksumError: UInt32 = 0
        /// The size that the directory states instead of the true one.
        var claimedSize: UInt32?
        /// The offset that the directory states instead of the true one.
        var claimedOffset: UInt32?
        /// The zip64 extra field of the directory.
        var extra: [UInt8] = []
    }

    var entries: [Entry] = []

    mutating func add(_ name: String, _ data: [UInt8]) {
        entries.append(Entry(name: name, data: data))
    }

    func bytes() -> [UInt8] {
        var file: [UInt8] = []
        var directory: [UInt8] = []
        for entry in entries {
            let checksum = crc(entry.data) &+ entry.checksumError
            let size = entry.claimedSize ?? UInt32(entry.data.count)
            let name = Array(entry.name.utf8)
            let place = UInt32(file.count)
            file += littleEndian(UInt32(0x0403_4B50)) + littleEndian(UInt16(20))
            file += littleEndian(entry.flags) + littleEndian(entry.method) + [0, 0, 0, 0]
            file += littleEndian(checksum) + littleEndian(size) + littleEndian(size)
            file += littleEndian(UInt16(name.count)) + [0, 0] + name + entry.data
            directory += littleEndian(UInt32(0x0201_4B50)) + [20, 0, 20, 0]
            directory += littleEndian(entry.flags) + littleEndian(entry.method) + [0, 0, 0, 0]
            directory += littleEndian(checksum) + littleEndian(size) + littleEndian(size)
            directory += littleEndian(UInt16(name.count))
            directory += littleEndian(UInt16(entry.extra.count)) + [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
            directory += littleEndian(entry.claimedOffset ?? place) + name + entry.extra
        }
        let place = UInt32(file.count)
        file += directory + littleEndian(UInt32(0x0605_4B50)) + [0, 0, 0, 0]
        file += littleEndian(UInt16(entries.count)) + littleEndian(UInt16(entries.count))
        file += littleEndian(UInt32(directory.count)) + littleEndian(place) + [0, 0]
        return file
    }

    private func crc(_ data: [UInt8]) -> UInt32 {
        ~data.reduce(~UInt32(0)) { value, byte in
            (0..<8).reduce(value ^ UInt32(byte)) { value, _ in
                value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1
            }
        }
    }
}

/// Assembles pickles.
struct PickleBuilder {
    var bytes: [UInt8] = [0x80, 2]

    static func + (left: PickleBuilder, right: String) -> PickleBuilder {
        PickleBuilder(bytes: left.bytes + Array(right.utf8))
    }

    static func + (left: PickleBuilder, right: [UInt8]) -> PickleBuilder {
        PickleBuilder(bytes: left.bytes + right)
    }

    func text(_ text: String) -> PickleBuilder {
        self + [0x58] + littleEndian(UInt32(text.utf8.count)) + Array(text.utf8)
    }

    func int(_ value: Int32) -> PickleBuilder { self + [0x4A] + littleEndian(value) }

    func long(_ value: Int) -> PickleBuilder { self + [0x8A, 8] + littleEndian(value) }

    /// Appends a float32 tensor over a storage that a persistent id names.
    func tensor(
        key: String = "0", elements: Int, offset: Int = 0, shape: [Int], strides: [Int]
    ) -> PickleBuilder {
        var pickle = self + "ctorch._utils\n_rebuild_tensor_v2\n(("
        pickle = pickle.text("storage") + "ctorch\nFloatStorage\n"
        pickle = pickle.text(key).text("cpu").long(elements) + "tQ"
        pickle = pickle.long(offset) + "("
        for length in shape { pickle = pickle.long(length) }
        pickle = pickle + "t("
        for stride in strides { pickle = pickle.long(stride) }
        return pickle + "t" + [0x89] + "ccollections\nOrderedDict\n)RtR"
    }

    /// Returns an archive in the form of `torch.save`, with the pickle and one storage of 16 bytes.
    func archive(data: [UInt8] = Array(0..<16)) -> [UInt8] {
        var zip = ZipBuilder()
        zip.add("archive/data.pkl", bytes)
        zip.add("archive/data/0", data)
        return zip.bytes()
    }

    /// Returns the text of the error that reading the archive throws.
    func refusal() throws -> String {
        try withFile(archive()) { path in message { _ = try PyTorchCheckpoint(path) } }
    }
}
