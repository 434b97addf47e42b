private import SystemPackage

/// Ends the process with an error that names the file, if a mapped file cannot be read any more.
///
/// The system reads a page of a mapped file when it is first touched. If another program has
/// shortened the file by then, or its disk fails, the system sends SIGBUS to the thread that reads.
/// Without a handler, the Swift runtime would trace all threads, which may take forever.
package enum MappedFileFault {
    /// Handles SIGBUS for as long as the process runs.
    package static func report() {
        var action = sigaction()
        #if canImport(Darwin)
            action.__sigaction_u.__sa_sigaction = { _, info, _ in
                MappedFileFault.end(at: info?.pointee.address)
            }
        #else
            action.__sigaction_handler.sa_sigaction = { _, info, _ in
                MappedFileFault.end(at: info?.pointee.address)
            }
        #endif
        // A second fault, in the handler, ends the process.
        action.sa_flags = SA_SIGINFO | Int32(bitPattern: UInt32(SA_RESETHAND))
        sigaction(SIGBUS, &action, nil)
    }

    /// Prints the error and ends the process.
    ///
    /// The signal comes from an instruction that reads mapped bytes. Its thread holds no lock of
    /// the allocator then, so that the handler may allocate.
    private static func end(at address: UInt?) -> Never {
        let file = address.flatMap(file(at:)) ?? "a mapped file"
        let message = """
            Error: \(file): cannot be read any more: another program shortened it, or its disk \
            failed. Run the command again to see what is damaged.

            """
        _ = try? FileDescriptor.standardError.writeAll(message.utf8)
        _exit(EXIT_FAILURE)
    }

    /// The path of the file that is mapped at an address.
    private static func file(at address: UInt) -> Substring? {
        guard let bytes = try? FilePath("/proc/self/maps").contents() else { return nil }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            // FROM-TO permissions offset device inode PATH; the path may contain spaces.
            let fields = line.split(separator: " ", maxSplits: 5)
            guard fields.count == 6 else { continue }
            let bounds = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            if bounds.count == 2, bounds[0]..<bounds[1] ~= address {
                return fields[5].drop { $0 == " " }
            }
        }
        return nil
    }
}

extension siginfo_t {
    /// The address whose page could not be read.
    fileprivate var address: UInt {
        #if canImport(Darwin)
            UInt(bitPattern: si_addr)
        #else
            UInt(bitPattern: _sifields._sigfault.si_addr)
        #endif
    }
}
