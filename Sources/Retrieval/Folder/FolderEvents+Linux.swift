import Storage

#if os(Linux)
    import Foundation
    import ImageText
    import SystemPackage

    #if canImport(Musl)
        import Musl
    #else
        import Glibc
    #endif

    /// The events of a folder and its subfolders, from inotify, until this object is released.
    final class FolderEvents: Sendable {
        /// Reports the events.
        let signal = FolderSignal()
        /// The end of a pipe that, when closed, ends the thread that reads the events.
        private let life: FileDescriptor

        private static let mask =
            IN_CREATE | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE | IN_DELETE_SELF | IN_MOVED_FROM
            | IN_MOVED_TO | IN_MOVE_SELF | IN_ONLYDIR

        /// Starts to watch a folder.
        ///
        /// - Throws: `Errno` if the path is not a readable folder, the system already watches too
        ///   many folders, or the folder is on another machine, whose changes inotify does not
        ///   report.
        init(_ folder: FilePath) throws(Errno) {
            let status = try FolderScan.status(folder)
            guard FolderScan.isFolder(status) else { throw .notDirectory }
            guard Self.isLocal(status) else { throw .notSupported }
            let queue = inotify_init1(O_CLOEXEC | O_NONBLOCK)
            guard queue >= 0 else { throw Errno(rawValue: errno) }
            var ends: [Int32] = [-1, -1]
            do throws(Errno) {
                var visited: Set<FolderScan.Identity> = []
                try Self.watch(folder, queue, &visited)
                guard pipe(&ends) == 0 else { throw Errno(rawValue: errno) }
            } catch {
                close(queue)
                throw error
            }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            life = FileDescriptor(rawValue: ends[1])
            let (signal, reader) = (signal, ends[0])
            Thread.detachNewThread { Self.forward(queue, until: reader, to: signal) }
        }

        deinit { try? life.close() }

        /// Watches a folder before listing it, so that no subfolder created in between is missed.
        private static func watch(
            _ folder: FilePath, _ queue: Int32, _ visited: inout Set<FolderScan.Identity>
        ) throws(Errno) {
            let status = try FolderScan.status(folder)
            guard FolderScan.isFolder(status),
                visited.insert(FolderScan.Identity(status)).inserted
            else { return }
            let failed = folder.withPlatformString {
                inotify_add_watch(queue, $0, UInt32(bitPattern: mask)) < 0
            }
            if failed { throw Errno(rawValue: errno) }
            for item in try FolderListing(folder).items where !item.isFile && !item.isHidden {
                guard !Exclusions.folders.contains(item.name.string) else { continue }
                do throws(Errno) {
                    try watch(folder.appending(item.name), queue, &visited)
                } catch  where error != .noSpace && error != .tooManyOpenFiles {
                    // A scan reports folders that cannot be read.
                }
            }
        }

        /// Forwards events until the other end of the pipe is closed.
        private static func forward(
            _ queue: Int32, until life: Int32, to signal: FolderSignal
        ) {
            defer {
                close(queue)
                close(life)
            }
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 8)
            defer { buffer.deallocate() }
            while true {
                var polled = [
                    pollfd(fd: queue, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: life, events: Int16(POLLIN), revents: 0),
                ]
                let count = poll(&polled, 2, -1)
                if count < 0, errno == EINTR { continue }
                guard count > 0, polled[1].revents == 0 else { return }
                let size = read(queue, buffer.baseAddress, buffer.count)
                if size < 0, errno == EINTR || errno == EAGAIN { continue }
                guard size > 0 else { return }
                report(UnsafeRawBufferPointer(rebasing: buffer[..<size]), signal)
            }
        }

        private static func report(_ events: UnsafeRawBufferPointer, _ signal: FolderSignal) {
            var position = 0
            while position + 16 <= events.count {
                let mask = Int32(
                    bitPattern: events.loadUnaligned(fromByteOffset: position + 4, as: UInt32.self))
                let length = Int(
                    events.loadUnaligned(fromByteOffset: position + 12, as: UInt32.self))
                let (start, end) = (position + 16, min(position + 16 + length, events.count))
                position = end
                let lost = IN_Q_OVERFLOW | IN_UNMOUNT | IN_DELETE_SELF | IN_MOVE_SELF
                if mask & (IN_ISDIR | lost) != 0 {
                    signal.report(foldersChanged: true)
                } else if isOfInterest(events[start..<end].prefix { $0 != 0 }) {
                    signal.report(foldersChanged: false)
                }
            }
        }

        /// Returns whether a scan would consider a file, unlike the files of an index inside the
        /// folder.
        private static func isOfInterest(_ name: Slice<UnsafeRawBufferPointer>) -> Bool {
            let path = FilePath(String(decoding: name, as: UTF8.self))
            return path.string == Exclusions.fileName
                || path.extension.map { FolderScan.extensions.contains($0.lowercased()) } ?? false
        }

        /// Returns whether all changes of a file system are made on this machine.
        private static func isLocal(_ status: stat) -> Bool {
            let device = UInt64(status.st_dev)
            let major = (device >> 8 & 0xFFF) | (device >> 32 & ~0xFFF)
            let minor = (device & 0xFF) | (device >> 12 & ~0xFF)
            let remote = ["nfs", "cifs", "smb", "9p", "ceph", "afs", "virtiofs", "vboxsf", "fuse."]
            let mounts = (try? FilePath("/proc/self/mountinfo").contents()) ?? []
            for line in String(decoding: mounts, as: UTF8.self).split(separator: "\n") {
                let fields = line.split(separator: " ")
                guard fields.count > 3, fields[2] == "\(major):\(minor)",
                    let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count
                else { continue }
                return !remote.contains { fields[dash + 1].hasPrefix($0) }
            }
            return true
        }
    }
#endif
