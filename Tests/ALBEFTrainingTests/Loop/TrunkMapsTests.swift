import ALBEF
import ALBEFTraining
import Foundation
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("Maps of a frozen trunk, kept")
struct TrunkMapsTests {
    private static let frozen = ["optimizer.frozen=[image.trunk]", "data.trunk_views=3"]

    /// Writes a model to start from, and gives the settings of a run over it.
    private func settings(
        _ tiny: TinyRun, _ changes: [String] = frozen
    ) throws -> TrainingConfiguration {
        let path = tiny.folder.appending("towers")
        if !FileManager.default.fileExists(atPath: path.string) {
            try TinyModel(vision: .init(trunk: TinyModel.trunk, imageSize: 32, width: 16, heads: 2))
                .write(to: path)
        }
        return try tiny.settings(["model.start='\(path)'"] + changes)
    }

    private func refusal(_ body: () async throws -> Void) async -> String {
        let error = await #expect(throws: TrainingError.self) { try await body() }
        return error?.description ?? ""
    }

    @Test(
        "A run that was stopped ends as one that was not, with its maps and without",
        arguments: [frozen, ["optimizer.frozen=[image.trunk.0-1]", "data.trunk_views=2"]])
    func resumed(_ changes: [String]) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let settings = try settings(tiny, changes)
            try await tiny.train("whole", settings)
            for keepsMaps in [true, false] {
                let name = "stopped-\(keepsMaps)"
                try await tiny.train(name, settings, until: 5)
                if !keepsMaps {
                    try FileManager.default.removeItem(
                        atPath: folder.pushing(FilePath("\(name)/trunk-maps")).string)
                }
                #expect(try await tiny.train(name, nil) == .finished)
                #expect(try tiny.differences("whole", name) == [])
            }
        }
    }

    @Test("Without augmentation a run sees what one without maps sees, but for their rounding")
    func equal() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let plain = [
                "augmentation.minimum_scale=1", "augmentation.flips=false",
                "augmentation.operations=0", "training.log_steps=1", "training.epochs=2",
            ]
            var losses: [[Double]] = []
            for (name, changes) in [
                ("pixels", ["optimizer.frozen=[image.trunk]"]), ("maps", Self.frozen),
                ("stages", ["optimizer.frozen=[image.trunk.0-1]", "data.trunk_views=1"]),
            ] {
                let log = EventLog()
                try await tiny.train(name, settings(tiny, plain + changes), log: log)
                losses.append(log.steps.map(\.loss))
            }
            #expect(losses[0].count == 6)
            for (pixels, maps) in zip(losses[0], losses[1]) {
                #expect(abs(pixels - maps) < 2e-3 * pixels)
            }
            // The stages above the cut train: equal at the first step, and apart from then on.
            #expect(abs(losses[0][0] - losses[2][0]) < 2e-3 * losses[0][0])
            #expect(losses[0].last != losses[2].last)
        }
    }

    @Test("A map that was damaged is dropped and named; the run goes on with a new one")
    func damaged() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let settings = try settings(tiny)
            try await tiny.train("whole", settings)
            try await tiny.train("run", settings, until: 8)
            let path = folder.pushing("run/trunk-maps")
            let file = try FileHandle(forUpdating: URL(filePath: path.string))
            let end = try file.seekToEnd()
            // The table ends within the first two pages: all else are maps.
            try file.seek(toOffset: 8192)
            try file.write(contentsOf: Data(repeating: 0x3C, count: Int(end) - 8192))
            try file.close()
            var attempts = 0
            while attempts < 100 {
                attempts += 1
                do {
                    #expect(try await tiny.train("run", nil) == .finished)
                    break
                } catch let error as TrainingError {
                    #expect(error.description.contains("was damaged and has been removed"))
                    #expect(error.description.hasPrefix(path.string))
                }
            }
            #expect(attempts > 1 && attempts < 100)
            #expect(try tiny.differences("whole", "run") == [])
        }
    }

    @Test("Maps can be shared one after another, not at once, and not by other settings")
    func shared() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            let place = "data.trunk_maps='\(folder.appending("maps"))'"
            let settings = try settings(tiny, Self.frozen + [place])
            do {
                let run = try TrainingRun(folder.appending("first"), settings: settings)
                let held = await refusal { try await tiny.train("second", settings) }
                #expect(held.contains("another run is using these maps"))
                #expect(try await run.run() == .finished)
            }
            try await tiny.train("third", settings)
            #expect(try tiny.differences("first", "third") == [])
            let other = try self.settings(
                tiny, Self.frozen + [place, "augmentation.minimum_scale=0.9"])
            #expect(
                await refusal { try await tiny.train("fourth", other) }
                    .contains("with other augmentation; delete it"))
            try Data("maps".utf8).write(to: URL(filePath: folder.appending("text").string))
            let text = try self.settings(
                tiny, Self.frozen + ["data.trunk_maps='\(folder.appending("text"))'"])
            #expect(
                await refusal { try await tiny.train("fifth", text) }
                    .contains("is not a file of trunk maps"))
        }
    }

    @Test("Views need a trunk, and one whose first stages are frozen")
    func refused() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tiny = try TinyRun(folder)
            for (settings, problem) in [
                (try tiny.settings(["data.trunk_views=2"]), "needs a model with a trunk"),
                (
                    try settings(tiny, ["data.trunk_views=2", "optimizer.frozen=[image.trunk.1]"]),
                    "add image.trunk, or stages such as image.trunk.0-4, to optimizer.frozen"
                ),
            ] {
                let message = await refusal { try await tiny.train("run", settings) }
                #expect(message.contains("data.trunk_views") && message.contains(problem))
                #expect(!FileManager.default.fileExists(atPath: folder.appending("run").string))
            }
        }
    }
}
