import SystemPackage
import Torch

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The few operations on directories that models need.
enum FileSystem {
    static func exists(_ path: FilePath) -> Bool { access(path.string, F_OK) == 0 }

    static func isDirectory(_ path: FilePath) -> Bool {
        var status = stat()
        return stat(path.string, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The names inside a directory, in order.
    static func names(in path: FilePath) throws -> [String] {
        guard let directory = opendir(path.string) else {
            throw ModelFileError(path, .system(operation: "list it", errno: .current))
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(
                    to: CChar.self, capacity: MemoryLayout.size(ofValue: pointer.pointee)
                ) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Makes a hidden directory in the same place, so that it can be renamed to `path`.
    static func makeTemporaryDirectory(beside path: FilePath) throws -> FilePath {
        let suffix = String(UInt32.random(in: 0 ... .max), radix: 36)
        let name = path.lastComponent?.string ?? "model"
        let temporary = path.removingLastComponent().appending(".\(name).\(suffix).tmp")
        guard mkdir(temporary.string, 0o755) == 0 else {
            throw ModelFileError(path, .system(operation: "create it", errno: .current))
        }
        return temporary
    }

    static func rename(_ path: FilePath, to target: FilePath) throws {
        guard renameat(AT_FDCWD, path.string, AT_FDCWD, target.string) == 0 else {
            throw ModelFileError(
                target, .system(operation: "rename it into place", errno: .current))
        }
        AtomicFile.flushDirectory(target.removingLastComponent())
    }

    /// Removes the files of the given names, and the directory if nothing else is in it.
    static func removeDirectory(_ path: FilePath, files: [String]) {
        for name in files { unlink(path.appending(name).string) }
        rmdir(path.string)
    }
}
