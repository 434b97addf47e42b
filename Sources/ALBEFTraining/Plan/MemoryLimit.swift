import Foundation
import Storage
import SystemPackage

/// The memory of a device that a run can use.
public struct MemoryLimit: Sendable, Hashable, Codable {
    /// Where the limit comes from.
    public enum Source: String, Sendable, Hashable, Codable, CaseIterable {
        /// The memory of the machine.
        case machine
        /// The limit of the control group in which this process runs, as in a container.
        case controlGroup = "control_group"
        /// The memory of a GPU.
        case gpu
        /// The caller.
        case given
    }

    /// The number of bytes.
    public let bytes: Int
    /// Where the limit comes from.
    public let source: Source

    /// Creates a limit; by default it counts as given by the caller.
    public init(bytes: Int, source: Source = .given) {
        self.bytes = bytes
        self.source = source
    }

    /// The memory of this machine, or the limit of this process's control group if that is lower;
    /// nil if the system does not tell.
    public static var ofMachine: MemoryLimit? {
        let machine = MemoryLimit(
            bytes: Int(clamping: ProcessInfo.processInfo.physicalMemory), source: .machine)
        let group = controlGroupBytes.map { MemoryLimit(bytes: $0, source: .controlGroup) }
        return [machine, group].compactMap(\.self).filter { $0.bytes > 0 }
            .min { $0.bytes < $1.bytes }
    }

    /// The memory of a GPU, as `nvidia-smi` tells it; nil without one.
    ///
    /// - Parameter index: The index of the GPU.
    public static func ofGPU(_ index: Int) -> MemoryLimit? {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits", "-i",
            "\(index)",
        ]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let text = String(decoding: output, as: UTF8.self)
        guard process.terminationStatus == 0,
            let megabytes = Int(text.trimmingCharacters(in: .whitespacesAndNewlines)),
            megabytes > 0, megabytes < 1 << 40
        else { return nil }
        return MemoryLimit(bytes: megabytes << 20, source: .gpu)
    }

    /// The lowest limit of the control groups that contain this process.
    private static var controlGroupBytes: Int? {
        func number(_ path: FilePath) -> Int? {
            guard let bytes = try? path.bytesIfPresent() else { return nil }
            return Int(
                String(decoding: bytes, as: UTF8.self).trimmingCharacters(
                    in: .whitespacesAndNewlines))
        }
        let root = FilePath("/sys/fs/cgroup")
        var limits = [
            number(root.appending("memory.max")),
            number(root.pushing("memory/memory.limit_in_bytes")),
        ]
        // The second version names the group in one line, `0::/path`.
        if let bytes = try? FilePath("/proc/self/cgroup").bytesIfPresent(),
            let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
                .first(where: { $0.hasPrefix("0::/") })
        {
            var group = root
            for name in line.dropFirst(4).split(separator: "/") {
                group.append(String(name))
                limits.append(number(group.appending("memory.max")))
            }
        }
        return limits.compactMap(\.self).min()
    }
}
