/// The memory of this process.
package enum Memory {
    /// Returns whether the system would give this process so many more bytes now.
    ///
    /// Swift ends the process if an array does not get its memory. So ask before making an array
    /// whose length a setting decides. Nothing is reserved: the system may refuse later, but it
    /// refuses what exceeds a limit of the process or the whole memory of the machine.
    package static func hasRoom(for byteCount: Int) -> Bool {
        guard byteCount > 0 else { return true }
        let pointer = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0)
        guard let pointer, pointer != MAP_FAILED else { return false }
        munmap(pointer, byteCount)
        return true
    }
}
