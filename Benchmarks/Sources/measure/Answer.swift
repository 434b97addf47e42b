import ALBEFTraining
import Foundation

/// What was measured, or why it was not.
struct Answer: Encodable {
    /// The median of the calls, in seconds.
    var seconds: Double?
    /// The largest resident memory of this process so far, in bytes.
    var peakBytes: Int?
    /// The loss of each step.
    var losses: [Double]?
    /// The samples of an image, row by row, in hexadecimal.
    var pixels: String?
    /// What went wrong; the other fields are then missing.
    var error: String?

    enum CodingKeys: String, CodingKey {
        case seconds, losses, pixels, error
        case peakBytes = "peak_bytes"
    }

    /// The answer as a line of JSON.
    var line: Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        let text = (try? encoder.encode(self)) ?? Data(#"{"error": "not to be written"}"#.utf8)
        return text + Data("\n".utf8)
    }

    /// Repeats work as often as a request asks, and answers with the median of the times.
    ///
    /// - Parameter clock: returns seconds; by default of the monotonic clock.
    static func timing(
        _ request: Request, clock: () -> Double = Answer.wallSeconds, _ work: () throws -> Void
    ) throws -> Answer {
        let calls = try request.number(.calls, request.calls ?? 1)
        let times = try callTimes(calls, clock, work).sorted()
        let middle = (times[(calls - 1) / 2] + times[calls / 2]) / 2
        return Answer(seconds: middle, peakBytes: ProcessMemory.peakBytes)
    }

    /// Returns the time of each call.
    ///
    /// Scripts/test-performance counts the instructions of this function, which it knows by name.
    @inline(never)
    private static func callTimes(
        _ calls: Int, _ clock: () -> Double, _ work: () throws -> Void
    ) rethrows -> [Double] {
        var times: [Double] = []
        for _ in 0..<calls {
            let start = clock()
            try work()
            times.append(clock() - start)
        }
        return times
    }

    /// The seconds of the monotonic clock.
    static func wallSeconds() -> Double { seconds(CLOCK_MONOTONIC) }

    /// The seconds that this thread has computed, which other programs do not lengthen.
    static func threadSeconds() -> Double { seconds(CLOCK_THREAD_CPUTIME_ID) }

    private static func seconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
