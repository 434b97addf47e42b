import Foundation
import Testing
import Torch

#if os(Linux)
    @Suite("Memory that was freed")
    struct FreedMemoryTests {
        @Test("Freed memory between used blocks is returned to the system")
        func gaps() async {
            // The allocator's settings and heap belong to the process, so this test has its own.
            await #expect(processExitsWith: .success) {
                func residentBytes() throws -> Int {
                    let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
                        .split(separator: " ")
                    return try #require(Int(fields[1])) * Int(getpagesize())
                }
                keepFreedMemory()
                // 64 blocks of 4 MB, each followed by a small block that stays.
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
