/// Reads a stream in pieces of a fixed length, and hands out any number of bytes.
struct StreamBuffer {
    private let stream: any ShardStream
    private var buffer: [UInt8]
    private var (start, end) = (0, 0)
    /// The number of bytes handed out or passed over so far.
    private(set) var offset: Int64 = 0
    /// Whether the stream has ended.
    private(set) var isAtEnd = false

    init(_ stream: any ShardStream, byteCount: Int) {
        self.stream = stream
        buffer = [UInt8](repeating: 0, count: byteCount)
    }

    /// Returns the next bytes, fewer than `count` only at the end.
    mutating func bytes(_ count: Int) throws(ShardFault) -> [UInt8] {
        let kept = min(count, end - start)
        if kept == count {
            defer { advance(count) }
            return Array(buffer[start..<start + count])
        }
        // A damaged header may name any length, so memory grows with what is really there.
        var result = Array(buffer[start..<start + kept])
        advance(kept)
        result.reserveCapacity(min(count, 1 << 22))
        while result.count < count, try fill() {
            let piece = min(count - result.count, end - start)
            result += buffer[start..<start + piece]
            advance(piece)
        }
        return result
    }

    /// Passes over bytes, and returns how many there were.
    mutating func skip(_ count: Int64) throws(ShardFault) -> Int64 {
        var passed = min(count, Int64(end - start))
        advance(Int(passed))
        if passed < count {
            let skipped = try attempt { try stream.skip(count - passed) }
            passed += skipped
            offset += skipped
        }
        while passed < count, try fill() {
            let piece = min(count - passed, Int64(end - start))
            advance(Int(piece))
            passed += piece
        }
        return passed
    }

    /// Checks that the source ended as it should.
    func finish() throws(ShardFault) { try attempt { try stream.finish() } }

    private mutating func advance(_ count: Int) {
        start += count
        offset += Int64(count)
    }

    /// Reads the next piece into the empty buffer; returns whether there is one.
    private mutating func fill() throws(ShardFault) -> Bool {
        let stream = stream
        (start, end) = (0, 0)
        let read: Int
        do {
            read = try buffer.withUnsafeMutableBytes { try stream.read(into: $0) }
        } catch {
            throw ShardFault("\(error)")
        }
        end = read
        isAtEnd = read == 0
        return read > 0
    }

    private func attempt<Result>(_ work: () throws -> Result) throws(ShardFault) -> Result {
        do { return try work() } catch { throw ShardFault("\(error)") }
    }
}
