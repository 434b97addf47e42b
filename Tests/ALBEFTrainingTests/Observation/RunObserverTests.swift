import ALBEFTraining
import Foundation
import SystemPackage
import TestSupport
import Testing
import TrainingReport

@Suite("Run observer")
struct RunObserverTests {
    @Test("A new run makes its directory, and is not begun twice")
    func newRun() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let directory = folder.appending("runs/first")
            let observer = try RunObserver(directory, totalSteps: 20, totalEpochs: 2)
            #expect(observer.resumedFrom == nil)
            #expect(try TrainingRunState(directory) == "running")
            try observer.record(Measurements.step(1))
            try observer.record(Measurements.evaluation(1))
            try observer.record(samples: [Measurements.sample("a.jpg")])
            // What was recorded is there at once, without closing.
            let run = try RecordedRun(directory)
            #expect(run.name == "first" && run.activity == .running)
            #expect(run.steps == [Measurements.step(1)])
            #expect(run.evaluations == [Measurements.evaluation(1)])
            #expect(run.samples == [Measurements.sample("a.jpg")])
            #expect(run.status?.totalSteps == 20 && run.status?.totalEpochs == 2)
            try observer.close()
            try observer.close(.failed)
            #expect(try RecordedRun(directory).activity == .finished)
            #expect(throws: RunError.self) { try observer.record(Measurements.step(2)) }
            let error = #expect(throws: RunError.self) { try RunObserver(directory) }
            #expect("\(try #require(error))".contains("first: contains a run already"))
            #expect(try directory.names().count == 4)
        }
    }

    @Test("A resumed run forgets what came after its checkpoint")
    func resumedRun() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let first = try RunObserver(folder)
            for step in 1...5 { try first.record(Measurements.step(step)) }
            try first.close(.interrupted)
            #expect(try RecordedRun(folder).activity == .interrupted)
            let second = try RunObserver(folder, resumingAfter: 3)
            #expect(second.resumedFrom == Measurements.step(3))
            try second.record(Measurements.step(4))
            try second.close()
            #expect(try RecordedRun(folder).steps == (1...4).map(Measurements.step))
        }
    }

    @Test("A run whose process is gone was stopped")
    func orphanedRun() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let observer = try RunObserver(folder)
            try observer.record(Measurements.step(1))
            let status = folder.appending(RunFile.status)
            let process = Process()
            process.executableURL = URL(filePath: "/bin/sh")
            process.arguments = ["-c", "exit 0"]
            try process.run()
            process.waitUntilExit()
            try status.write(
                status.text().replacing(
                    "\"process\" : \(getpid())", with: "\"process\" : \(process.processIdentifier)")
            )
            #expect(try RecordedRun(folder).activity == .stopped)
        }
    }

    private func TrainingRunState(_ directory: FilePath) throws -> String? {
        let data = Data(try directory.appending(RunFile.status).text().utf8)
        return (try JSONSerialization.jsonObject(with: data) as? [String: Any])?["state"] as? String
    }

    @Test("The progress line has all that it promises")
    func progressLine() {
        let metrics = StepMetrics(
            step: 1240, epoch: 3, seconds: 1240 * 0.5, loss: 6.12, itc: 2.31, itm: 0.41, mlm: 3.4,
            alpha: 0.4, learningRate: 1e-4, pairsPerSecond: 412.3, residentMegabytes: 1900)
        #expect(
            ProgressLine.text(metrics, totalSteps: 12_000, totalEpochs: 30, barWidth: 8)
                == "epoch 3/30  step 1240/12000 ░░░░░░░░  loss 6.12 (itc 2.31 itm 0.410 mlm 3.40)  "
                + "412 pairs/s  1 h 29 min left  1.9 GB")
        let last = StepMetrics(
            step: 10, epoch: 1, seconds: 20, loss: .nan, alpha: 0, learningRate: 0,
            pairsPerSecond: 3.14159, residentMegabytes: 640)
        #expect(
            ProgressLine.text(last, totalSteps: 10, totalEpochs: 1, barWidth: 4)
                == "epoch 1/1  step 10/10 ████  loss NaN  3.14 pairs/s  640 MB")
        #expect(
            ProgressLine.text(
                last, totalSteps: 40, totalEpochs: 1, secondsPerStep: 7, barWidth: 0)
                == "epoch 1/1  step 10/40  loss NaN  3.14 pairs/s  3 min 30 s left  640 MB")
    }

    @Test("Memory grows by what is allocated, and its peak stays")
    func memory() throws {
        let before = try #require(ProcessMemory.residentBytes)
        #expect(before > 1_000_000)
        let size = 256 << 20
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        block.initializeMemory(as: UInt8.self, repeating: 1)
        let peak = try #require(ProcessMemory.peakBytes)
        #expect(block[size - 1] == 1)
        block.deallocate()
        #expect(peak >= size)
    }
}
