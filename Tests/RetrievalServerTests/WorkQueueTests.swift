import Dispatch
import Retrieval
import RetrievalServer
import Synchronization
import TestSupport
import Testing

/// A job that reports its start and ends when it is opened.
private final class Gate: Sendable {
    private let opening = DispatchSemaphore(value: 0)
    private let begun = AsyncStream<Void>.makeStream()

    /// Waits for ``open()``; the job calls this.
    func pass() {
        begun.continuation.yield()
        opening.wait()
    }

    func open() { opening.signal() }

    /// Waits until the job has begun.
    func begins() async {
        var iterator = begun.stream.makeAsyncIterator()
        await iterator.next()
    }
}

@Suite("The model's thread", .timeLimit(.minutes(30)))
struct WorkQueueTests {
    @Test("A task that is cancelled while it waits resumes at once, and its work is not done")
    func cancelledWhileWaiting() async throws {
        let queue = WorkQueue("test", threads: 1, limit: 8)
        defer { queue.close() }
        let gate = Gate()
        let isDone = Atomic(false)
        let first = Task { try await queue.run { gate.pass() } }
        await gate.begins()
        let second = Task {
            try await queue.run { isDone.store(true, ordering: .relaxed) }
        }
        #expect(try await eventually { queue.waiting == 1 })
        second.cancel()
        // The thread is blocked, so this returns only if the waiting task need not have its turn.
        await #expect(throws: CancellationError.self) { try await second.value }
        #expect(queue.waiting == 0)
        gate.open()
        try await first.value
        #expect(try await queue.run { 7 } == 7)
        #expect(isDone.load(ordering: .relaxed) == false)
    }

    @Test("A task that is cancelled during its work resumes at once")
    func cancelledWhileRunning() async throws {
        let queue = WorkQueue("test", threads: 1, limit: 8)
        defer { queue.close() }
        let gate = Gate()
        let task = Task { try await queue.run { gate.pass() } }
        await gate.begins()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        gate.open()
        #expect(try await queue.run { 7 } == 7)
    }

    @Test("A task that was cancelled before does not wait")
    func cancelledBefore() async throws {
        let queue = WorkQueue("test", threads: 1, limit: 8)
        defer { queue.close() }
        let gate = Gate()
        queue.add { gate.pass() }
        await gate.begins()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await queue.run { 7 }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(queue.waiting == 0)
        gate.open()
    }

    @Test("A full queue refuses the next query, but not an image of the folder")
    func full() async throws {
        let queue = WorkQueue("test", threads: 1, limit: 2)
        defer { queue.close() }
        let gate = Gate()
        queue.add { gate.pass() }
        await gate.begins()
        let waiting = (0..<2).map { number in Task { try await queue.run { number } } }
        #expect(try await eventually { queue.waiting == 2 })
        await #expect(throws: (any Error).self) { try await queue.run { 3 } }
        let image = Task { try await queue.run(.folder) { 4 } }
        #expect(try await eventually { queue.waiting == 3 })
        gate.open()
        for (number, task) in waiting.enumerated() { #expect(try await task.value == number) }
        #expect(try await image.value == 4)
    }

    @Test("Urgent work comes first, even if it was added last")
    func urgency() async throws {
        let queue = WorkQueue("test", threads: 1, limit: 8)
        defer { queue.close() }
        let gate = Gate()
        let order = Mutex<[WorkUrgency]>([])
        queue.add { gate.pass() }
        await gate.begins()
        for urgency in [WorkUrgency.folder, .upload, .query] {
            queue.add(urgency) { order.withLock { $0.append(urgency) } }
        }
        gate.open()
        try await queue.run(.folder) {}
        #expect(order.withLock { $0 } == [.query, .upload, .folder])
    }

    @Test("A cancelled request frees the model's thread for the next one")
    func expired() async throws {
        let queue = WorkQueue("test", threads: 1, limit: 8)
        defer { queue.close() }
        let (began, begin) = AsyncStream<Void>.makeStream()
        let batcher = Batcher<String, String>(queue, .init()) { items in
            items.map { item in
                guard item.request == "slow" else { return .success(item.request) }
                begin.yield()
                // The work runs until its limit reports the cancellation, as in the fusion encoder.
                while true {
                    do { try item.limit.check() } catch { return .failure(error) }
                }
            }
        }
        let slow = Task { try await batcher.answer("slow") }
        var iterator = began.makeAsyncIterator()
        await iterator.next()
        let quick = Task { try await batcher.answer("quick") }
        slow.cancel()
        await #expect(throws: CancellationError.self) { try await slow.value }
        #expect(try await quick.value == "quick")
    }

    @Test("Waiting requests are answered together, without the cancelled ones")
    func together() async throws {
        let queue = WorkQueue("test", threads: 1, limit: 8)
        defer { queue.close() }
        let gate = Gate()
        let batches = Mutex<[[Int]]>([])
        let batcher = Batcher<Int, Int>(queue, .init()) { items in
            batches.withLock { $0.append(items.map(\.request).sorted()) }
            return items.map { .success($0.request * 10) }
        }
        queue.add { gate.pass() }
        await gate.begins()
        let tasks = (0..<4).map { number in Task { try await batcher.answer(number) } }
        #expect(try await eventually { batcher.waiting == 4 })
        tasks[2].cancel()
        await #expect(throws: CancellationError.self) { try await tasks[2].value }
        gate.open()
        for number in [0, 1, 3] { #expect(try await tasks[number].value == number * 10) }
        #expect(batches.withLock { $0 } == [[0, 1, 3]])
    }

    @Test("The cache is bounded in bytes and in number, and keeps the newest values")
    func remembered() {
        let recent = RecentValues<Int, String>(count: 100, bytes: 1000, size: { $0.utf8.count })
        for number in 0..<50 {
            recent.keep(String(repeating: "x", count: 90), for: number)
            #expect(recent[number] != nil)
            #expect(recent.byteCount <= 1000)
        }
        #expect(recent[0] == nil)
        recent.keep(String(repeating: "x", count: 501), for: 99)
        #expect(recent[99] == nil, "one value must not displace all others")
        let few = RecentValues<Int, Int>(count: 4)
        for number in 0..<50 { few.keep(number, for: number) }
        #expect((0..<50).count { few[$0] != nil } <= 4)
        #expect(few[49] == 49)
    }
}
