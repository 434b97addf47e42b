import Storage
import SystemPackage
import Testing
import Torch
import WeightFiles

/// Harmful files, each of which must be refused with an error that includes the name it requests.
@Suite struct HostilePickleTests {
    @Test(arguments: [
        ("cposix\nsystem\nX\u{2}\0\0\0id\u{85}R.", "posix.system"),
        ("cbuiltins\neval\n)R.", "builtins.eval"),
        ("c__builtin__\nexec\n)R.", "__builtin__.exec"),
        ("cos\nsystem\n.", "os.system"),
        ("ctorch\nload\n)R.", "torch.load"),
        ("ctorch.hub\nload\n)R.", "torch.hub.load"),
        ("ccollections\nOrderedDict.__reduce__\n)R.", "collections.OrderedDict.__reduce__"),
        ("csubprocess\nPopen\n)R.", "subprocess.Popen"),
        ("cbuiltins\ngetattr\n)R.", "builtins.getattr"),
        ("cnt\nsystem\n)R.", "nt.system"),
        ("cargparse\nNamespace.__init__\n)R.", "argparse.Namespace.__init__"),
        ("crunpy\nrun_path\n)R.", "runpy.run_path"),
        ("cimportlib\nimport_module\n)R.", "importlib.import_module"),
        ("ctorch._utils\n_rebuild_sparse_tensor\n)R.", "torch._utils._rebuild_sparse_tensor"),
        ("(iposix\nsystem\n.", "posix.system"),
        ("(ccollections\nOrderedDict\no.", "the constructor of collections.OrderedDict"),
        ("(i\u{7}\u{1}x\nsystem\n.", "??x.system"),
        ("Pmodule\n.", "the persistent object module"),
        ("ctorch\nFloatStorage\n)R.", "a torch storage"),
        ("ctorch\nfloat32\n)R.", "torch.float32"),
        ("N)R.", "None"),
        ("}}X\u{7}\0\0\0__doc__Nsb.", "__setstate__ of a dict with the attribute __doc__"),
        ("]}b.", "__setstate__ of a list"),
        ("N}b.", "__setstate__ of None"),
    ])
    func callsAreRefusedByName(program: String, name: String) throws {
        let pickle = PickleBuilder(
            bytes: [0x80, 2] + program.unicodeScalars.map { UInt8($0.value) })
        let text = try pickle.refusal()
        #expect(text.contains("it asks to call \(name)"), "\(text)")
        #expect(text.contains("nothing was run"))
    }

    @Test func laterProtocolsAreRefusedByName() throws {
        let short: (String) -> [UInt8] = { [0x8C, UInt8($0.utf8.count)] + Array($0.utf8) }
        let system = PickleBuilder() + short("posix") + short("system") + [0x93] + ")R."
        #expect(try system.refusal().contains("posix.system"))
        let new = PickleBuilder() + "ccollections\nOrderedDict\n)" + [0x81] + "."
        #expect(try new.refusal().contains("__new__ of collections.OrderedDict"))
        let keywords = PickleBuilder() + "ccollections\nOrderedDict\n)}" + [0x92] + "."
        #expect(try keywords.refusal().contains("__new__ of collections.OrderedDict"))
        let registered = PickleBuilder() + [0x82, 1] + "."
        #expect(try registered.refusal().contains("a registered extension"))
        let module = (PickleBuilder() + "(").text("module") + "NNtQ."
        #expect(try module.refusal().contains("the source of a saved module"))
    }

    @Test func refusalsDifferFromDamage() throws {
        func isRefusal(_ program: String) throws -> Bool? {
            try withFile((PickleBuilder() + program).archive()) { path in
                do {
                    _ = try PyTorchCheckpoint(path)
                    return nil
                } catch let error as FileError {
                    return error.isRefusal
                }
            }
        }
        #expect(try isRefusal("cposix\nsystem\n.") == true)
        #expect(try isRefusal("t.") == false)
        #expect(try isRefusal("}.") == nil)
    }

    @Test func longNamesAreCut() throws {
        let pickle = PickleBuilder() + "c" + String(repeating: "x", count: 100_000) + "\ny\n."
        #expect(try pickle.refusal().count < 500)
    }

    @Test(arguments: [
        ("", "cut short"), (".", "a value is missing"), ("NN.", "left over"), ("(N.", "left over"),
        ("0.", "missing"), ("t.", "a mark is missing"), ("h\u{5}.", "the memo has no value 5"),
        ("Na.", "missing"), ("NNa.", "no list"), ("}Ns.", "missing"), ("}(Nu.", "no value"),
        ("}]Ns.", "a list as a key"), ("X\u{7f}\0\0\0a.", "cut short"),
        ("cposix", "does not end"), ("I1\n.", "unknown instruction 73"),
        ("\u{80}\u{1}N.", "protocol 1"), ("ccollections\nOrderedDict\nNR.", "without arguments"),
        ("ctorch._utils\n_rebuild_tensor_v2\n)R.", "not described in the way of torch.save"),
        ("NQ.", "not a storage"), ("N(N\u{90}.", "no set to fill"),
        ("q\u{1}N.", "missing"), ("X\u{1}\0\0\0\u{ff}.", "not UTF-8"),
    ])
    func damagedPickles(program: String, reason: String) throws {
        let pickle = PickleBuilder(
            bytes: [0x80, 2] + program.unicodeScalars.map { UInt8($0.value) })
        #expect(try pickle.refusal().contains(reason))
    }

    @Test func bombs() throws {
        let deep = PickleBuilder() + [UInt8](repeating: 0x5D, count: 100_000)
        let nested = deep + [UInt8](repeating: 0x61, count: 99_999) + "."
        #expect(try nested.refusal().contains("the nesting"))
        let tuples = PickleBuilder() + ")" + [UInt8](repeating: 0x85, count: 1_000_000) + "."
        #expect(try tuples.refusal().contains("the nesting"))
        let stack = PickleBuilder() + [UInt8](repeating: 0x4E, count: 1_000_001)
        #expect(try stack.refusal().contains("the pickle's stack"))
        let marks = PickleBuilder() + [UInt8](repeating: 0x28, count: 1_000_001)
        #expect(try marks.refusal() != "")
        let containers = PickleBuilder() + [UInt8](repeating: 0x5D, count: 1) + "0"
        var many: [UInt8] = []
        for _ in 0..<4_000_001 { many += [0x5D, 0x30] }
        #expect(try (containers + many).refusal().contains("the number of containers"))
        // A list of ten references to a list of ten references to ...
        var laughs = PickleBuilder() + "]q" + [0]
        for level in 1...30 {
            laughs = laughs + "](" + (0..<10).flatMap { _ in [0x68, UInt8(level - 1)] } + "eq"
            laughs = laughs + [UInt8(level)]
        }
        #expect(try (laughs + "](h" + [30] + "e.").refusal() != "")
        #expect(try (laughs + [0x31] + ".").refusal() != "")
        // A list of 2,000 references to a pair, of which dictionaries are made again and again.
        let pairs = (0..<2000).flatMap { _ in [0x68, 0] as [UInt8] }
        let calls = (0..<2001).flatMap { _ in [0x68, 2, 0x68, 1, 0x85, 0x52, 0x30] as [UInt8] }
        let list = PickleBuilder() + "K\u{1}K\u{1}" + [0x86, 0x71, 0] + "0](" + pairs + "eq" + [1]
        let copies = list + "0ccollections\nOrderedDict\nq" + [2] + "0" + calls + "N."
        #expect(try copies.refusal().contains("the number of copied elements"))
        // A list that contains itself.
        let ring = PickleBuilder() + "]q" + [0, 0x68, 0] + "a."
        #expect(try ring.refusal().contains("the nesting"))
        let length = PickleBuilder() + [0x8D] + littleEndian(UInt64.max) + "x."
        #expect(try length.refusal().contains("absurdly large"))
    }

    @Test func laughs() throws {
        var pickle = PickleBuilder() + "]q" + [0]
        for level in 1...30 {
            pickle = pickle + "0](" + (0..<10).flatMap { _ in [0x68, UInt8(level - 1)] } + "eq"
            pickle = pickle + [UInt8(level)]
        }
        #expect(try (pickle + ".").refusal().contains("the number of values"))
    }

    @Test(arguments: [
        (4, 0, [5], [1], "needs 20 bytes, but its storage has 16"),
        (4, 4, [1], [1], "needs 20 bytes"),
        (4, -1, [1], [1], "negative"),
        (4, 0, [2], [-1], "negative"),
        (4, 0, [-2], [1], "more elements than its storage can hold"),
        (4, 0, [1 << 40], [0], "more elements than its storage can hold"),
        (4, 0, [1 << 62, 1 << 62], [1, 1], "more elements than its storage can hold"),
        (4, 0, [2], [.max], "more elements than its storage can hold"),
        (4, .max, [1], [1], "starts at an impossible offset"),
        (4, 0, [2, 2], [1], "more or fewer strides"),
        (5, 0, [1], [1], "should hold 5 elements of 4 bytes, but has 16 bytes"),
        (.max, 0, [1], [1], "but has 16 bytes"),
        (-1, 0, [1], [1], "a storage is not described"),
    ])
    func tensorsOutsideTheirStorage(
        elements: Int, offset: Int, shape: [Int], strides: [Int], reason: String
    ) throws {
        let pickle = PickleBuilder().tensor(
            elements: elements, offset: offset, shape: shape, strides: strides)
        let text = try (pickle + ".").refusal()
        #expect(text.contains(reason), "\(text)")
    }

    @Test func storagesMustAgree() throws {
        let missing = PickleBuilder().tensor(key: "9", elements: 4, shape: [4], strides: [1])
        #expect(try (missing + ".").refusal().contains("the data of storage 9 is missing"))
        let outside = PickleBuilder().tensor(key: "../x", elements: 4, shape: [4], strides: [1])
        #expect(try (outside + ".").refusal().contains("is missing"))
        let two = (PickleBuilder() + "(").tensor(elements: 4, shape: [4], strides: [1])
            .tensor(elements: 3, shape: [3], strides: [1])
        #expect(try (two + "t.").refusal().contains("described in two ways"))
    }
}

@Suite struct ZipTests {
    static let pickle = (PickleBuilder() + "}.").bytes

    func refusal(_ change: (inout ZipBuilder) -> Void) throws -> String {
        var zip = ZipBuilder()
        zip.add("a/data.pkl", Self.pickle)
        zip.add("a/data/0", [1, 2, 3, 4])
        change(&zip)
        return try withFile(zip.bytes()) { path in
            message { _ = try PyTorchCheckpoint(path, checksums: .all) }
        }
    }

    @Test func damagedArchives() throws {
        #expect(try refusal { _ in } == "")
        #expect(try refusal { $0.entries[0].method = 8 }.contains("data.pkl is compressed"))
        #expect(try refusal { $0.entries[0].flags = 1 }.contains("encrypted"))
        #expect(try refusal { $0.entries[0].checksumError = 1 }.contains("checksum"))
        #expect(try refusal { $0.entries[1].checksumError = 1 }.contains("checksum"))
        #expect(try refusal { $0.entries[1].claimedSize = 1 << 30 }.contains("cut short"))
        #expect(try refusal { $0.entries[0].claimedSize = 20 }.contains("overlaps"))
        #expect(try refusal { $0.entries[1].claimedOffset = 0 }.contains("another name"))
        #expect(try refusal { $0.entries[1].claimedOffset = 5 }.contains("not where it should"))
        #expect(try refusal { $0.entries[1].claimedOffset = 1 << 31 }.contains("not where"))
        #expect(try refusal { $0.add("a/data/0", []) }.contains("two entries have the name"))
        #expect(try refusal { $0.entries.remove(at: 0) }.contains("without the data.pkl"))
        #expect(try refusal { $0.add("b/data.pkl", []) }.contains("without the data.pkl"))
        #expect(try refusal { $0.add("a/constants.pkl", []) }.contains("TorchScript"))
        #expect(try refusal { $0.add("a/byteorder", [0x78]) }.contains("byte order \"x\""))
    }

    @Test func zip64Lies() throws {
        func field(_ values: UInt64...) -> [UInt8] {
            littleEndian(UInt16(1)) + littleEndian(UInt16(values.count * 8))
                + values.flatMap { littleEndian($0) }
        }
        let honest = try refusal {
            $0.entries[1].claimedSize = .max
            $0.entries[1].extra = field(4, 4)
        }
        #expect(honest == "")
        let large = try refusal {
            $0.entries[1].claimedSize = .max
            $0.entries[1].extra = field(.max, .max)
        }
        #expect(large.contains("absurdly large"))
        let long = try refusal {
            $0.entries[1].claimedSize = .max
            $0.entries[1].extra = field(1 << 60, 1 << 60)
        }
        #expect(long.contains("cut short"))
        let missing = try refusal {
            $0.entries[1].claimedSize = .max
            $0.entries[1].extra = field(4)
        }
        #expect(missing.contains("cut short"))
        let place = try refusal {
            $0.entries[1].claimedOffset = .max
            $0.entries[1].extra = field(1 << 62)
        }
        #expect(place.contains("not where"))
    }
}
