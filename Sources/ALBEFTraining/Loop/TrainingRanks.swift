import ImageText
import SystemPackage
import Torch

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The processes that take the steps of a run together.
///
/// Every function also serves a process that trains alone, and then exchanges nothing.
struct TrainingRanks: Sendable {
    let group: ProcessGroup?

    /// The longest time that the other processes wait for the first one to evaluate or to write.
    ///
    /// It only ends a hang: a process that is killed or stopped is noticed within a minute.
    private static let patience = Duration.seconds(24 * 60 * 60)

    init(_ group: ProcessGroup?) { self.group = group }

    /// The number of this process, from 0.
    var rank: Int { group?.rank ?? 0 }
    /// The number of processes.
    var count: Int { group?.count ?? 1 }
    /// Whether this process writes the run's files.
    var isFirst: Bool { rank == 0 }

    /// Tells the other processes which step this one takes.
    func note(step: Int) { group?.note(place: "step \(step)") }

    /// Returns whether a condition holds in at least one process.
    func isAny(_ condition: Bool) throws -> Bool {
        guard let group else { return condition }
        return try group.allReduce(Tensor([condition ? 1 : 0] as [Float], device: group.device))
            .wait().scalar() > 0
    }

    /// Throws `CancellationError` in all processes if the task of one is cancelled.
    func checkCancellation() throws {
        guard group != nil else { return try Task.checkCancellation() }
        if try isAny(Task.isCancelled) { throw CancellationError() }
    }

    /// Returns the averages of numbers over the processes; nil stays nil.
    func means(_ values: [Double?]) throws -> [Double?] {
        guard let group else { return values }
        let sum = try group.allReduce(Tensor(values.map { $0 ?? 0 }, device: group.device)).wait()
            .values(as: Double.self)
        return zip(values, sum).map { value, sum in value.map { _ in sum / Double(group.count) } }
    }

    /// Runs `body` in the first process, and waits for it in the others.
    ///
    /// - Throws: the error of `body`. In the other processes, `CancellationError` if that is the
    ///   error, else ``TrainingError`` with its text.
    func first(running body: () async throws -> Void) async throws {
        guard let group else { return try await body() }
        var outcome = Result<Void, any Error>.success(())
        if isFirst {
            do { try await body() } catch { outcome = .failure(error) }
        }
        try share(outcome, group)
    }

    /// Runs `body` as ``first(running:)`` does.
    func first(_ body: () throws -> Void) throws {
        guard let group else { return try body() }
        try share(isFirst ? Result { try body() } : .success(()), group)
    }

    /// Runs `body` in the first process, and returns its result in all.
    ///
    /// - Throws: as ``first(running:)`` does.
    func decided<Value: Codable>(by body: () throws -> Value) throws -> Value {
        guard let group else { return try body() }
        var bytes: [UInt8] = []
        try first { bytes = try Array(JSONEncoder().encode([body()])) }
        let answer = try group.broadcast(bytes: bytes)
        return try JSONDecoder().decode([Value].self, from: Data(answer))[0]
    }

    private func share(_ outcome: Result<Void, any Error>, _ group: ProcessGroup) throws {
        var message: [UInt8] = []
        if case .failure(let error) = outcome {
            message = Array((error is CancellationError ? "cancelled" : "failed\(error)").utf8)
        }
        let answer = try group.broadcast(bytes: message, timeout: Self.patience)
        try outcome.get()
        guard !answer.isEmpty else { return }
        let text = String(decoding: answer, as: UTF8.self)
        if text == "cancelled" { throw CancellationError() }
        throw TrainingError.firstRank(String(text.dropFirst("failed".count)))
    }

    /// Adds the texts and names of the other processes' rows to a part of a batch.
    ///
    /// Batches of items stay as they are: their losses are means over rows, which processes average.
    ///
    /// - Returns: the whole batch, except that it has the pixels and views of this process alone.
    func completed(_ part: RunBatch) throws -> RunBatch {
        guard let group, let part = part.pairs else { return part }
        let own = Rows(
            captions: part.captions, ids: part.ids, imageCaptions: part.imageCaptions,
            images: part.images.map(\.string))
        let all = try group.allGather(bytes: Array(JSONEncoder().encode(own))).map {
            try JSONDecoder().decode(Rows.self, from: Data($0))
        }
        return .pairs(
            part.joined(
                captions: all.flatMap(\.captions), ids: all.flatMap(\.ids),
                imageCaptions: all.flatMap(\.imageCaptions), images: all.flatMap(\.images)))
    }

    private struct Rows: Codable {
        let captions: [String]
        let ids: [Int]
        let imageCaptions: [[String]]
        let images: [String]
    }

    /// Checks that all processes were started with the same settings.
    ///
    /// - Throws: ``TrainingError`` that names the keys which differ from those of the first process.
    func compare(_ settings: TrainingConfiguration) throws {
        guard let group else { return }
        let text = try group.broadcast(bytes: Array(SettingsFile.storedText(of: settings).utf8))
        var first = try SettingsFile.parse(String(decoding: text, as: UTF8.self), place: "rank 0")
        _ = try SettingsFile.takeVersion(from: &first, place: "rank 0")
        let others = try SettingsFile.decode(first, place: "rank 0")
        let keys = try SettingsFile.differences(others, settings)
        if try isAny(!keys.isEmpty) {
            throw TrainingError.otherRanks(rank: rank, keys)
        }
    }
}
