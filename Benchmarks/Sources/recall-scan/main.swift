// Times exact recall over synthetic clustered features, and reading their codes once.
//
//     recall-scan FOLDER [COUNT ...] [graph]
//
// For each COUNT, makes an index in FOLDER with features of 256 numbers, or reuses the one there.
// Prints the seconds to open it, the milliseconds per query for the best 20, and the time in which
// one thread, and all threads, read the codes once. With `graph`, also prints the time to make and
// to read a graph, its milliseconds per query, and the share of the exact 20 that it finds.
import Dispatch
import Foundation
import Retrieval
import SystemPackage
import Torch

func seconds(_ work: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try work()
    let duration = ContinuousClock.now - start
    return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
}

let width = 256
let signature = ModelSignature(
    fingerprint: "synthetic", imageSize: 1, embeddingWidth: width, tokenCount: 1, tokenWidth: 1)
let centres = Tensor.normal([1000, width], generator: try Generator(seed: 1))

/// Returns unit vectors around a thousand centres, `[count, 256]`.
func features(_ count: Int, _ generator: Generator) -> Tensor {
    let choice = (Tensor.uniform([count], generator: generator) * 1000).to(.int64)
    return (centres[choice] + Tensor.normal([count, width], generator: generator) * 0.7)
        .normalized()
}

func make(_ directory: FilePath, _ count: Int) throws {
    let generator = try Generator(seed: 2)
    for first in stride(from: 0, to: count, by: 250_000) {
        let rows = min(250_000, count - first)
        let entries = (first..<first + rows).map { number in
            let digits = String(number, radix: 16)
            return IndexEntry(
                path: FilePath("/\(number).jpg"), size: number, modified: 0,
                sha256: String(repeating: "0", count: 64 - digits.count) + digits)
        }
        try ForwardIndex.append(
            entries, features: features(rows, generator), tokens: nil, to: directory,
            model: signature, budget: TokenBudget(count: 0))
    }
}

/// Returns the seconds in which some threads read memory once: a lower bound for any scan.
func reading(_ bytes: Int, threads: Int) -> Double {
    let vectors = bytes / 128
    let memory = UnsafeMutablePointer<SIMD16<UInt64>>.allocate(capacity: vectors)
    memory.initialize(repeating: .one, count: vectors)
    defer { memory.deallocate() }
    nonisolated(unsafe) let shared = UnsafePointer(memory)
    var best = Double.infinity
    for _ in 0..<5 {
        let time = seconds {
            DispatchQueue.concurrentPerform(iterations: threads) { thread in
                let part = vectors / threads
                var sums = SIMD16<UInt64>()
                for index in part * thread..<part * (thread + 1) { sums &+= shared[index] }
                if sums.wrappedSum() == 0 { print("never") }
            }
        }
        best = min(best, time)
    }
    return best
}

let arguments = CommandLine.arguments.dropFirst()
guard let folder = arguments.first.map({ FilePath($0) }) else {
    FileHandle.standardError.write(Data("usage: recall-scan FOLDER [COUNT ...] [graph]\n".utf8))
    exit(64)
}
let counts = arguments.dropFirst().compactMap { Int($0) }
let withGraph = arguments.contains("graph")

/// Returns the resident memory of this process in megabytes.
func residentMegabytes() -> Double {
    let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    let pages = text.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? 0
    return pages * Double(sysconf(Int32(_SC_PAGESIZE))) / 1e6
}

func measureGraph(_ directory: FilePath, _ queries: Tensor) throws {
    var making = 0.0
    if try ForwardIndex(directory).statistics.graphRows == nil {
        making = try seconds { try ForwardIndex.makeGraph(directory) }
    }
    let index = try ForwardIndex(directory)
    let before = residentMegabytes()
    let reading = try seconds { _ = try index.recall(queries[0], count: 20, method: .graph) }
    let memory = residentMegabytes() - before
    var (times, found): ([Double], Int) = ([], 0)
    for row in 0..<100 {
        let exact = Set(try index.recall(queries[row], count: 20, method: .exact).map(\.id))
        var answer: [Candidate] = []
        times.append(
            try seconds {
                answer = try index.recall(queries[row], count: 20, method: .graph)
            } * 1000)
        found += answer.count { exact.contains($0.id) }
    }
    times.sort()
    print(
        String(
            format:
                "  graph: made in %.0f s, read in %.2f s, %.0f MB, query ms %.2f, %.2f, found %.4f",
            making, reading, memory, times[50], times[95], Double(found) / 2000))
}
print("features, open s, query ms p50, p95, reading the codes ms on 1 and \(threadCount) threads")
for count in counts.isEmpty ? [10_000, 100_000, 1_000_000] : counts {
    let directory = folder.appending("\(count)")
    if !FileManager.default.fileExists(atPath: directory.string) { try make(directory, count) }
    var opened: ForwardIndex?
    let opening = try seconds { opened = try ForwardIndex(directory) }
    guard let index = opened else { continue }
    let queries = features(100, try Generator(seed: 3))
    var times: [Double] = []
    for row in 0..<100 {
        let time = try seconds {
            _ = try index.recall(queries[row], count: 20, method: .exact)
        }
        if row >= 10 { times.append(time * 1000) }
    }
    times.sort()
    let bytes = count * (width + 8)
    print(
        String(
            format: "%d, %.3f, %.2f, %.2f, %.2f, %.2f", count, opening, times[45], times[85],
            reading(bytes, threads: 1) * 1000, reading(bytes, threads: threadCount) * 1000))
    if withGraph { try measureGraph(directory, queries) }
}
