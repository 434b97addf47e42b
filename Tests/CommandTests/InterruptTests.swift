import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Ctrl-C", .serialized, .timeLimit(.minutes(30)))
struct InterruptTests {
    /// Long commands, each with a file or folder that appears once the command is at work.
    ///
    /// The demonstration draws first and then indexes; the test stops it in its second part.
    @Test(
        "Ends a command with status 130 and without internal words, in any part",
        arguments: [
            (
                ["wardrobe", "generate", "--count", "100000", "--output", "out"], "out/images",
                SIGINT
            ),
            (
                ["wardrobe", "tasks", "--count", "4000", "--output", "out"], "out/images", SIGINT
            ),
            (["demo", "--scenes", "400", "--output", "out"], "out/index", SIGINT),
            (["demo", "--scenes", "400", "--output", "out"], "out/index", SIGTERM),
        ] as [([String], String, Int32)])
    func interrupts(_ arguments: [String], _ sign: String, _ number: Int32) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let (process, log) = try Command.start(arguments, folder: folder)
            await Command.signal(process, number, onceThereIs: folder.pushing(FilePath(sign)))
            await process.exited()
            let errors = try String(contentsOfFile: "\(log.string).err", encoding: .utf8)
            #expect(process.terminationReason == .exit, "\(errors)")
            #expect(process.terminationStatus == 130, "\(errors)")
            #expect(errors.contains("(again to stop at once)"))
            #expect(!errors.contains("Error") && !errors.contains("Cancellation"))
        }
    }
}
