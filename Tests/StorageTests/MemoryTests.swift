import Storage
import Testing

@Suite("Memory of the process")
struct MemoryTests {
    @Test("There is room for a little, and none for more than can be addressed")
    func room() {
        #expect(Memory.hasRoom(for: 0))
        #expect(Memory.hasRoom(for: 1 << 20))
        #expect(!Memory.hasRoom(for: 1 << 60))
        #expect(!Memory.hasRoom(for: .max))
    }
}
