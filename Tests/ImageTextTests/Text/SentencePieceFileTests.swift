import ImageText
import Testing

@Suite struct SentencePieceFileTests {
    /// Returns a protobuf field with a number or bytes.
    private static func field(_ number: UInt8, _ value: UInt8) -> [UInt8] {
        [number << 3, value]
    }

    private static func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        [number << 3 | 2, UInt8(bytes.count)] + bytes
    }

    private static func piece(_ text: String, _ score: Float, type: UInt8 = 1) -> [UInt8] {
        let bits = score.bitPattern
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt32($0))) }
        return field(1, field(1, Array(text.utf8)) + [2 << 3 | 5] + bytes + field(3, type))
    }

    private static func message(_ bytes: [UInt8]) -> String {
        do {
            _ = try Tokenizer.read(bytes, name: "spiece.model", source: "FILE")
            return ""
        } catch {
            return error.description
        }
    }

    private static let unknown = piece("<unk>", 0, type: 2)

    @Test func ofEqualSumsTheLongerLastPieceWins() throws {
        // "ab" + "c" and "a" + "bc" have equal sums; "a" + "b" + "c" has a lower one.
        let model =
            Self.unknown + Self.piece("a", -1) + Self.piece("b", -3) + Self.piece("c", -1)
            + Self.piece("ab", -2) + Self.piece("bc", -2) + Self.piece("\u{2581}", -1)
        let tokenizer = try Tokenizer.read(model, name: "spiece.model", source: "m").tokenizer
        #expect(tokenizer.tokens(of: tokenizer.ids(of: "abc")) == ["\u{2581}", "a", "bc"])
    }

    @Test func piecesThatAreNoTextAreNotFound() throws {
        let model =
            Self.unknown + Self.piece("<s>", 0, type: 3) + Self.piece("x", 5, type: 5)
            + Self.piece("\u{2581}", -1)
        let tokenizer = try Tokenizer.read(model, name: "spiece.model", source: "m").tokenizer
        #expect(tokenizer.ids(of: "x<s>") == [3, 0])
        #expect(tokenizer.special == [1] && tokenizer.unknown == 0)
    }

    @Test func faultsNameTheFieldAndTheByte() {
        let faults: [([UInt8], String)] = [
            ([], "pieces, byte 0: the model has no pieces"),
            (Self.piece("a", -1), "pieces, byte 0: no piece has type 2"),
            ([0x0A, 0x7F, 1], "ModelProto, byte 1: field 1 has 127 bytes"),
            ([0x0B], "ModelProto, byte 0: field 1 has the unknown wire type 3"),
            ([0x00], "ModelProto, byte 0: the field number 0 is invalid"),
            ([0x08, 0x80], "ModelProto, byte 1: a number does not end"),
            (
                [0x08] + [UInt8](repeating: 0xFF, count: 11),
                "ModelProto, byte 1: a number is longer than ten bytes"
            ),
            (Self.unknown + Self.unknown, "pieces[1], byte"),
            (Self.unknown + Self.piece("", -1), "pieces[1], byte"),
            (Self.unknown + Self.piece("a", .nan), "pieces[1], byte"),
            (Self.unknown + Self.piece("a", -1, type: 9), "pieces[1], byte"),
            (Self.unknown + Self.field(1, Self.field(1, [0xFF])), "pieces[1], byte"),
            (
                Self.unknown + Self.field(2, Self.field(3, 2)),
                "trainer_spec.model_type: only unigram"
            ),
            (
                Self.unknown + Self.field(3, Self.field(2, [1, 2])),
                "normalizer_spec.precompiled_charsmap, byte"
            ),
            (
                Self.unknown + Self.field(3, Self.field(2, [0xFC, 0xFF, 0xFF, 0x7F, 1])),
                "normalizer_spec.precompiled_charsmap, byte"
            ),
        ]
        for (bytes, expected) in faults {
            #expect(Self.message(bytes).hasPrefix("FILE: \(expected)"), "\(Self.message(bytes))")
        }
    }

    @Test(arguments: ["spiece.model", "symbols.model"])
    func cutAndDamagedFilesDoNoHarm(name: String) throws {
        let bytes = try TokenizerFixtures.bytes(name)
        var random = SystemRandomNumberGenerator()
        for attempt in 0..<200 {
            var damaged = bytes
            if attempt < 100 {
                damaged = Array(bytes.prefix(bytes.count * attempt / 100))
            } else {
                for _ in 0..<4 {
                    let place = Int.random(in: 0..<bytes.count, using: &random)
                    damaged[place] = UInt8.random(in: 0...0xFF, using: &random)
                }
                // The rules are at the end, so half of the attempts damage that part.
                let place = Int.random(in: bytes.count * 9 / 10..<bytes.count, using: &random)
                if attempt % 2 == 0 { damaged[place] = UInt8.random(in: 0...0xFF, using: &random) }
            }
            do {
                let read = try Tokenizer.read(damaged, name: name, source: name).tokenizer
                _ = read.words(of: "Two dogs ＡＢ é \u{200B}狗在草地上跑 \u{1F600} ½ \0")
            } catch {
                #expect("\(error)".hasPrefix(name))
            }
        }
    }
}
