import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Help")
struct HelpTests {
    /// Help texts are recorded in files, so that a review shows every change of the command line.
    ///
    /// To accept a change, run the tests with `ALBEF_RECORD_SNAPSHOTS=1`.
    @Test(arguments: [
        [], ["index"], ["search"], ["serve"], ["score"], ["classify"], ["explain"], ["import"],
        ["models"], ["models", "list"], ["models", "show"], ["models", "pull"],
        ["models", "create"], ["index", "add"], ["index", "remove"], ["index", "verify"],
        ["index", "repair"], ["index", "compact"], ["index", "graph"], ["index", "merge"],
        ["index", "push"], ["index", "stats"], ["index", "texts"], ["vocabulary"],
        ["vocabulary", "train"], ["data"], ["data", "validate"], ["data", "pack"],
        ["data", "list"], ["plan"], ["pretrain"], ["calibrate"], ["report"], ["evaluate"],
        ["features"], ["probe"], ["evaluate", "retrieval"], ["evaluate", "choice"],
        ["evaluate", "pairs"], ["evaluate", "entailment"], ["evaluate", "nlvr"],
        ["evaluate", "vqa"], ["evaluate", "wardrobe"], ["finetune"], ["predict"],
        ["predict", "vqa"], ["predict", "entailment"], ["predict", "nlvr"], ["ablate"],
        ["ablate", "wardrobe"], ["wardrobe"], ["wardrobe", "generate"], ["demo"],
        ["models", "pack"], ["models", "remove"], ["wardrobe", "tasks"], ["wardrobe", "boxes"],
        ["evaluate", "grounding"], ["predict", "grounding"],
    ])
    func helpIsAsRecorded(_ command: [String]) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let result = try await Command.run(command + ["--help"], folder: folder)
            #expect(result.status == 0)
            let name = (["albef"] + command).joined(separator: "-")
            let path = Fixtures.path("snapshots/\(name).txt").string
            if ProcessInfo.processInfo.environment["ALBEF_RECORD_SNAPSHOTS"] != nil {
                try result.output.write(toFile: path, atomically: true, encoding: .utf8)
            }
            #expect(try String(contentsOfFile: path, encoding: .utf8) == result.output)
        }
    }
}
