import ALBEFTraining
import Foundation
import SystemPackage
import TestSupport
import Testing
import Torch

@Suite("Tokens of a gallery outside of the memory")
struct SpilledTokensTests {
    @Test("They read as they were, and leave no file", arguments: [1 << 20, 0])
    func spill(memory: Int) async throws {
        try await Fixtures.withTemporaryFolder { path in
            // A temporary folder may be called anything.
            let folder = path.appending("my tokens, 50% öö")
            try FileManager.default.createDirectory(
                atPath: folder.string, withIntermediateDirectories: true)
            let values = (0..<24).map(Float.init)
            var tokens = SpilledTokens(
                byteCount: 192, memory: memory, folder: URL(filePath: folder.string))
            try tokens.append(Tensor(values, shape: [2, 3, 4]))
            try tokens.append(Tensor(values.map(-), shape: [2, 3, 4]))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.string).isEmpty)
            let read: [[Float]] = tokens.blocks.map { $0.values() }
            #expect(read == [values, values.map(-)])
        }
    }
}
