import Storage
import SystemPackage
import TestSupport
import Torch

/// The folders that the tests read.
enum WeightFixtures {
    static let root = Fixtures.repository
    static let checkpoints = root.appending("Tests/Fixtures/checkpoints")
    /// A larger set of reference files, which a developer may keep beside the package.
    static let golden = root.removingLastComponent().appending("shared/golden")
    static let hasGolden = access(golden.string, R_OK) == 0
}

/// Calls a closure with the path of a temporary file that holds `bytes`.
func withFile<Result>(_ bytes: [UInt8], _ body: (FilePath) throws -> Result) throws -> Result {
    let number = String(UInt64.random(in: 0 ... .max), radix: 36)
    let path = FilePath("/tmp/swift-albef-test-\(number)")
    let file = try FileDescriptor.open(
        path, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
    defer { unlink(path.string) }
    try file.closeAfter { _ = try file.writeAll(bytes) }
    return try body(path)
}

func bytes(of path: FilePath) throws -> [UInt8] {
    try MappedFile(path).withUnsafeBytes { Array($0) }
}

/// Returns the text of the error that a closure throws, or "" if it throws none.
func message(of body: () throws -> Void) -> String {
    do {
        try body()
        return ""
    } catch {
        return "\(error)"
    }
}

func littleEndian<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

/// Pseudo-random numbers that are the same in every run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
