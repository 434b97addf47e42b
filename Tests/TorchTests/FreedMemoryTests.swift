import Foundation
import Testing
import Torch

#if os(Linux)
    @Suite("Memory that was freed")
    struct FreedMemoryTests {
        @Test("Is given back from between blocks that are still in use")
        func gaps() async {
            // A process of its own: the allocator's settings and its heap are the whole process's.
            await #expect(processExitsWith: .success) {
                func residentBytes() throws -> Int {
                    let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
                        .split(separator: " ")
                    return try #require(Int(fields[1])) * Int(getpagesize())
                }
                keepFreedMemory()
                // 64 blocks of 4 MB, each with a small one behind it that stays.
                var blocks: [Tensor] = []
                var kept: [Tensor] = []
                for _ in 0..<64 {
                    blocks.append(.ones([1 << 20]))
                    kept.append(.ones([1 << 10]))
                }
                blocks.removeAll()
                let before = try residentBytes()
                returnFreedMemory()
                let after = try residentBytes()
                try #require(before - after > 128 << 20)
                withExtendedLifetime(kept) {}
            }
        }
    }
#endif
