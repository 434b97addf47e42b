import Storage
import SystemPackage
import Testing

@Suite("Mapped files")
struct MappedFileTests {
    @Test("A file that is shortened while it is mapped ends the process by an error that names it")
    func shortened() async throws {
        let result = try await #require(
            processExitsWith: .exitCode(EXIT_FAILURE), observing: [\.standardErrorContent]
        ) {
            var template = Array("/tmp/albef mapped XXXXXX".utf8CString)
            let descriptor = mkstemp(&template)
            let path = FilePath(String(cString: template))
            _ = try FileDescriptor(rawValue: descriptor).writeAll([1, 2, 3])
            let file = try MappedFile(path)
            MappedFileFault.report()
            ftruncate(descriptor, 0)
            unlink(path.string)
            _ = file.withUnsafeBytes { $0[0] }
        }
        let error = String(decoding: result.standardErrorContent, as: UTF8.self)
        #expect(error.hasPrefix("Error: /tmp/albef mapped "))
        #expect(error.contains(": cannot be read any more: another program shortened it"))
    }
}
