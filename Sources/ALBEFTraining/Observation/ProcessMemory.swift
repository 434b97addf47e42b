import Storage
import SystemPackage

/// The memory of this process, as the operating system counts it.
public enum ProcessMemory {
    /// The number of bytes in memory now; `nil` if the system does not provide it.
    public static var residentBytes: Int? {
        #if canImport(Darwin)
            var usage = rusage_info_v2()
            let status = withUnsafeMutablePointer(to: &usage) { pointer in
                pointer.withMemoryRebound(to: rusage_info_t?.self, capacity: 1) {
                    proc_pid_rusage(getpid(), RUSAGE_INFO_V2, $0)
                }
            }
            return status == 0 ? Int(usage.ri_resident_size) : nil
        #else
            return kernelField("VmRSS:")
        #endif
    }

    /// The largest number of bytes in memory so far; `nil` if the system does not provide it.
    public static var peakBytes: Int? {
        #if canImport(Darwin)
            var usage = rusage()
            guard getrusage(RUSAGE_SELF, &usage) == 0 else { return nil }
            return usage.ru_maxrss  // bytes here, kilobytes on Linux
        #else
            return kernelField("VmHWM:")
        #endif
    }

    #if !canImport(Darwin)
        /// Returns a field of `/proc/self/status` in bytes.
        private static func kernelField(_ name: String) -> Int? {
            guard let bytes = try? FilePath("/proc/self/status").bytesIfPresent() else {
                return nil
            }
            for line in bytes.split(separator: UInt8(ascii: "\n"))
            where line.starts(with: name.utf8) {
                let words = String(decoding: line, as: UTF8.self).split { $0 == " " || $0 == "\t" }
                return words.count > 1 ? Int(words[1]).map { $0 * 1024 } : nil
            }
            return nil
        }
    #endif
}
