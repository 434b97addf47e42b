import Foundation
import Testing
import Torch

#if os(Linux)
    @Suite("Memory that was freed")
    struct FreedMemoryTests {
        private static func residentBytes() throws -> Int {
            let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
                .split(separator: " ")
            return try #require(Int(fields[1])) * Int(getpagesize())
        }

        @Test("A block that was freed between used blocks serves the next one of its size")
        func reuse() async {
            await #expect(processExitsWith: .success) {
                keepFreedMemory()
                // Like the gradients of steps.
                var heap = MixedBlocks()
                heap.add()
                let first = try FreedMemoryTests.residentBytes()
                for _ in 0..<3 {
                    heap.large.removeAll()
                    heap.add()
                }
                #expect(try FreedMemoryTests.residentBytes() - first < 32 << 20)
                withExtendedLifetime(heap) {}
            }
        }

        @Test("A lack of memory is still an error, and small and empty blocks work")
        func errors() async {
            await #expect(processExitsWith: .success) {
                keepFreedMemory()
                let error = #expect(throws: TorchError.self) {
                    try recovering { Tensor.zeros([1 << 46]) }
                }
                #expect(error?.isOutOfMemory == true)
                #expect(error?.description.contains("281474976710656 bytes") == true)
                #expect(Tensor.zeros([0]).count == 0)
                for count in 1..<200 {
                    #expect((Tensor.ones([count]) * 2).sum().scalar() == Double(2 * count))
                }
            }
        }

        @Test("Freed memory between used blocks is returned to the system")
        func gaps() async {
            // The allocator's settings and heap belong to the process, so this test has its own.
            await #expect(processExitsWith: .success) {
                keepFreedMemory()
                var heap = MixedBlocks()
                heap.add()
                heap.large.removeAll()
                let before = try FreedMemoryTests.residentBytes()
                returnFreedMemory()
                let after = try FreedMemoryTests.residentBytes()
                try #require(before - after > 128 << 20)
                withExtendedLifetime(heap) {}
            }
        }
    }

    /// Blocks of 4 MB, each followed by a small block that stays.
    private struct MixedBlocks {
        var large: [Tensor] = []
        private var small: [Tensor] = []

        /// Allocates 64 blocks of each size.
        mutating func add() {
            for _ in 0..<64 {
                large.append(.ones([1 << 20]))
                small.append(.ones([1 << 10]))
            }
        }
    }
#endif
