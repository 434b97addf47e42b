import SystemPackage
import Testing
import Torch
import WeightFiles

/// Files with harmless objects beside their tensors, which the reader skips without running code.
@Suite struct ForeignObjectTests {
    private func root(_ pickle: PickleBuilder) throws -> CheckpointValue {
        try withFile(pickle.archive()) { try PyTorchCheckpoint($0).root }
    }

    private func bytes(_ program: String) -> PickleBuilder {
        PickleBuilder(bytes: [0x80, 2] + program.unicodeScalars.map { UInt8($0.value) })
    }

    @Test(
        "An object of another class becomes the name of its class",
        arguments: [
            ("cargparse\nNamespace\n)\u{81}}X\u{2}\0\0\0lrK\u{1}sb.", "argparse.Namespace"),
            ("ccollections\nCounter\n}K\u{3}K\u{1}s\u{85}R.", "collections.Counter"),
            (
                "ccollections\ndefaultdict\nc__builtin__\nint\n\u{85}RK\u{1}K\u{2}s.",
                "collections.defaultdict"
            ),
            ("comegaconf.dictconfig\nDictConfig\n)\u{81}}b.", "omegaconf.dictconfig.DictConfig"),
            ("cnumpy.core.multiarray\nscalar\n)R.", "numpy.core.multiarray.scalar"),
            ("c__builtin__\nset\n](K\u{1}K\u{2}e\u{85}R.", "__builtin__.set"),
            ("cdatetime\ndate\nU\u{4}\u{7}\u{1}\u{1}\u{1}\u{85}R.", "datetime.date"),
            ("cpathlib\nPosixPath\nX\u{4}\0\0\0data\u{85}R.", "pathlib.PosixPath"),
            ("cconfig\nOuter.Inner\n)}\u{92}.", "config.Outer.Inner"),
            ("cargparse\nNamespace\n.", "argparse.Namespace"),
            ("\u{8f}(K\u{1}\u{90}.", "set"), ("(K\u{1}\u{91}.", "frozenset"),
            ("\u{8a}\u{9}\0\0\0\0\0\0\0\0\u{1}.", "int"),
        ])
    func objects(_ program: String, _ name: String) throws {
        guard case .object(let found) = try root(bytes(program)) else {
            Issue.record("the value is not an object")
            return
        }
        #expect(found == name)
    }

    @Test func tensorsBesideThemAreRead() throws {
        let pickle = (PickleBuilder() + "}(").text("args") + "cargparse\nNamespace\n)"
        let whole =
            (pickle + [0x81] + "}b").text("x").tensor(elements: 4, shape: [4], strides: [1]) + "u."
        let root = try #require(try root(whole).dictionary)
        #expect(root["x"]?.tensor?.shape == [4])
        #expect(CheckpointValue.dictionary(root).classNames == ["argparse.Namespace"])
    }

    @Test func everyKeyOfPythonIsAccepted() throws {
        let dictionary = bytes(
            "}(NK\u{1}\u{88}K\u{2}G\u{3f}\u{e0}\0\0\0\0\0\0K\u{3}K\u{7}X\u{1}\0\0\0a\u{86}K\u{4}"
                + "cdatetime\ndate\n)RK\u{5}cdatetime\ndate\n)RK\u{6}u.")
        let found = try #require(try root(dictionary).dictionary)
        #expect(
            found.keys == [
                .none, .int(1), .double(0.5), .tuple([.int(7), .string("a")]),
                .object("datetime.date", 4), .object("datetime.date", 5),
            ])
        #expect(found[.tuple([.int(7), .string("a")])]?.int == 4)
        #expect(
            found.keys.map(\.description) == [
                "None", "1", "0.5", "(7, a)", "datetime.date", "datetime.date",
            ])
    }

    @Test func keysThatDifferInBytesAreTwo() throws {
        let pickle = (PickleBuilder() + "}(").text("caf\u{e9}").int(1).text("cafe\u{301}").int(2)
        let found = try #require(try root(pickle + "u.").dictionary)
        #expect(found.count == 2)
        #expect(found["caf\u{e9}"]?.int == 1 && found["cafe\u{301}"]?.int == 2)
    }

    @Test func aTupleAsAKeyHasBounds() throws {
        // Each of thirty pairs holds the previous pair twice, so the key has about 10^9 parts.
        var pair = PickleBuilder() + "}K" + [1, 0x85, 0x71, 0]
        for level in 1...30 {
            pair = pair + [0x30, 0x68, UInt8(level - 1), 0x68, UInt8(level - 1), 0x86]
            pair = pair + [0x71, UInt8(level)]
        }
        let found = try #require(try root(pair + "Ns.").dictionary)
        #expect(found.keys == [.object("tuple", 0)])
    }
}
