import SystemPackage

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The memory and descriptors that this process uses; nil on systems that do not report them.
struct ProcessFigures {
    /// The resident memory, in bytes.
    let residentBytes: Int?
    /// The number of open descriptors.
    let openFiles: Int?

    /// Reads the current figures.
    init() {
        residentBytes = Self.read("/proc/self/status").flatMap { text in
            text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }?
                .split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first
                .flatMap { Int($0) }.map { $0 << 10 }
        }
        let names = try? FileManager.default.contentsOfDirectory(atPath: "/dev/fd")
        // The listing itself holds one descriptor.
        openFiles = names.map { $0.count - 1 }
    }

    private static func read(_ path: String) -> String? {
        try? String(contentsOfFile: path, encoding: .utf8)
    }
}
