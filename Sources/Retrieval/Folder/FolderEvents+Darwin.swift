#if canImport(Darwin)
    import Darwin
    import Dispatch
    import Foundation
    import SystemPackage

    #if canImport(CoreServices)
        import CoreServices

        /// The events of a folder and its subfolders, from FSEvents, until this object is released.
        final class FolderEvents: @unchecked Sendable {
            /// Reports the events.
            let signal = FolderSignal()
            // Only init and deinit use the stream; FSEvents calls on its own queue.
            private let stream: FSEventStreamRef

            /// Starts to watch a folder.
            ///
            /// - Throws: `Errno` if the folder does not exist or the system cannot watch it.
            init(_ folder: FilePath) throws(Errno) {
                _ = try FolderScan.status(folder)
                var context = FSEventStreamContext(
                    version: 0, info: Unmanaged.passRetained(signal).toOpaque(), retain: nil,
                    release: { info in
                        if let info { Unmanaged<FolderSignal>.fromOpaque(info).release() }
                    }, copyDescription: nil)
                let created = FSEventStreamCreate(
                    nil,
                    { _, info, count, _, flags, _ in
                        guard let info else { return }
                        let moved = FSEventStreamEventFlags(kFSEventStreamEventFlagRootChanged)
                        Unmanaged<FolderSignal>.fromOpaque(info).takeUnretainedValue().report(
                            foldersChanged: (0..<count).contains { flags[$0] & moved != 0 })
                    },
                    &context, [folder.string] as CFArray,
                    FSEventStreamEventId(kFSEventStreamEventIdSinceNow), 0.1,
                    FSEventStreamCreateFlags(
                        kFSEventStreamCreateFlagFileEvents | kFSEventStreamCreateFlagWatchRoot))
                guard let created else { throw .notSupported }
                stream = created
                FSEventStreamSetDispatchQueue(stream, DispatchQueue(label: "albef.folder-events"))
                guard FSEventStreamStart(stream) else {
                    FSEventStreamInvalidate(stream)
                    FSEventStreamRelease(stream)
                    throw .notSupported
                }
            }

            deinit {
                FSEventStreamStop(stream)
                FSEventStreamInvalidate(stream)
                FSEventStreamRelease(stream)
            }
        }
    #else
        /// Without FSEvents, a folder watch polls instead.
        final class FolderEvents: Sendable {
            let signal = FolderSignal()

            init(_ folder: FilePath) throws(Errno) { throw .notSupported }
        }
    #endif
#endif
