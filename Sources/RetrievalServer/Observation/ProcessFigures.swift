import SystemPackage

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What this process takes, as the system counts it; nil where the system does not say.
struct ProcessFigures {
    /// Bytes of memory that are in use.
    let residentBytes: Int?
    /// Descriptors that are open.
    let openFiles: Int?

    /// The figures of this moment.
    init() {
        residentBytes = Self.read("/proc/self/status").flatMap { text in
            text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }?
                .split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first
                .flatMap { Int($0) }.map { $0 << 10 }
        }
        let names = try? FileManager.default.contentsOfDirectory(atPath: "/dev/fd")
        // One of them is the folder, open for this list.
        openFiles = names.map { $0.count - 1 }
    }

    private static func read(_ path: String) -> String? {
        try? String(contentsOfFile: path, encoding: .utf8)
    }
}
