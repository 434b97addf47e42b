import ALBEFTraining
import Foundation
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("Event files")
struct EventFileTests {
    @Test("The checksum has RFC 3720's values")
    func checksums() {
        let read: [UInt8] =
            [0x01, 0xC0] + .init(repeating: 0, count: 14) + [0x14, 0, 0, 0, 0, 0, 4, 0]
            + [0, 0, 0, 0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]
        let vectors: [([UInt8], UInt32)] = [
            (.init(repeating: 0, count: 32), 0x8A91_36AA),
            (.init(repeating: 0xFF, count: 32), 0x62A8_AB43),
            (Array(0..<32), 0x46DD_794E), (Array((0..<32).reversed()), 0x113F_DB5C),
            (read, 0xD996_3A56), (Array("123456789".utf8), 0xE306_9283), ([], 0),
        ]
        for (bytes, expected) in vectors { #expect(CRC32C.checksum(bytes) == expected) }
        #expect(CRC32C.masked([]) == 0xA282_EAD8)
    }

    @Test("A file is byte for byte what TensorBoard's own code writes")
    func bytes() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let start = Date(timeIntervalSince1970: 1_700_000_000.5)
            let file = try EventFile(in: folder, host: "a/host", date: start)
            #expect(file.path == folder.appending("events.out.tfevents.1700000000.a-host"))
            try file.appendSessionStart(step: 301, date: start)
            try file.append(
                text: "    seed: 1\n    größe: 2", tag: "settings", step: 0, date: start)
            try file.append(
                [("loss/total", 6.125), ("temperature", 0.07)], step: 301, date: start + 1)
            try file.append([("loss/total", 0)], step: 70_000, date: start + 2)
            let written = try Data(contentsOf: URL(filePath: file.path.string))
            let expected = try Data(
                contentsOf: URL(filePath: Fixtures.path("events/small.tfevents").string))
            #expect(written == expected)
            // A second one in the same second.
            let other = try EventFile(in: folder, host: "a/host", date: start)
            #expect(other.path.string == file.path.string + ".1")
            #expect(try Data(contentsOf: URL(filePath: file.path.string)) == expected)
        }
    }

    @Test("Tags are those that are promised")
    func tags() {
        #expect(
            Measurements.step(1).scalars.map(\.tag) == [
                "loss/total", "loss/itc", "loss/itm", "loss/mlm", "accuracy/itm",
                "optimizer/learning_rate", "optimizer/gradient_norm", "teacher/alpha",
                "temperature", "speed/pairs_per_second", "memory/resident_mb",
            ])
        var evaluation = Measurements.evaluation(1)
        #expect(evaluation.scalars.count == 12)
        #expect(evaluation.scalars.contains { $0 == ("recall/val/reranked/i2t_r10", 56) })
        evaluation.reranked = nil
        #expect(
            evaluation.scalars.map(\.tag) == [
                "recall/val/dual/t2i_r1", "recall/val/dual/t2i_r5", "recall/val/dual/t2i_r10",
                "recall/val/dual/i2t_r1", "recall/val/dual/i2t_r5", "recall/val/dual/i2t_r10",
            ])
    }
}

/// A Python that has TensorBoard: `ALBEF_PYTHON`, or `python3`.
private enum TensorBoardPython {
    static let name = ProcessInfo.processInfo.environment["ALBEF_PYTHON"] ?? "python3"

    static let isThere = (try? run(["-c", "import tensorboard"]))?.status == 0

    static func run(_ arguments: [String]) throws -> (status: Int32, output: Data) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [name] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, data)
    }
}

@Suite("TensorBoard", .enabled(if: TensorBoardPython.isThere, "needs Python with tensorboard"))
struct TensorBoardTests {
    private struct Answer: Decodable {
        let canonical: Bool
        let scalars: [String: [[Double]]]
    }

    @Test("TensorBoard reads a resumed run as if it had never stopped")
    func resumedRun() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try folder.appending(RunFile.configuration).write("seed: 1\n")
            let first = try RunObserver(folder)
            for step in 1...8 { try first.record(Measurements.step(step)) }
            try first.record(Measurements.evaluation(8))
            try first.close(.interrupted)
            let second = try RunObserver(folder, resumingAfter: 5)
            for step in 6...10 {
                var metrics = Measurements.step(step)
                metrics.loss += 1
                try second.record(metrics)
            }
            try second.record(Measurements.evaluation(10))
            try second.close()
            let script = Fixtures.repository.appending("Tests/Python/read_events.py").string
            let (status, output) = try TensorBoardPython.run([script, folder.string])
            #expect(status == 0)
            let answer = try JSONDecoder().decode(Answer.self, from: output)
            #expect(answer.canonical)
            let losses = try #require(answer.scalars["loss/total"])
            #expect(losses.map { $0[0] } == (1...10).map(Double.init))
            for (step, loss) in losses.map({ ($0[0], $0[1]) }) {
                #expect(Float(loss) == Float(8 / step + (step > 5 ? 1 : 0)))
            }
            #expect(answer.scalars["recall/val/reranked/t2i_r10"] == [[10, 56]])
            #expect(answer.scalars.count == 11 + 12)
            let text = String(decoding: output, as: UTF8.self)
            #expect(text.contains("seed: 1"))
        }
    }
}
