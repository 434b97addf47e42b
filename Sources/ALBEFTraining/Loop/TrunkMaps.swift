import ALBEF
import ImageText
import Storage
import Synchronization
import SystemPackage
import Torch

/// The feature maps that the frozen part of a trunk computes from each view of the training images,
/// cached in one file.
///
/// A map is computed when a step first needs it, separately from its batch so that it does not
/// depend on the other images. Later steps read it. The file stores half precision, and the step
/// that computes a map uses the stored values too, so a resumed run uses the same values as the
/// interrupted one.
///
/// The file begins with a header and one checksum per map, which is 0 for a missing map. A map
/// counts only if its checksum is right, so a killed process leaves no half-written map.
final class TrunkMaps: Sendable {
    private struct State {
        var file: FileDescriptor?
        var lock: FileLock?
        /// The checksum of each map; 0 for a missing map.
        var checksums: [UInt64] = []
    }

    private static let pageBytes = 4096
    private static let version: UInt64 = 1
    /// "ALBEFmap", as a little-endian number.
    private static let magic: UInt64 = 0x7061_6d46_4542_4c41

    private let plan: Plan
    private let path: FilePath
    private let state = Mutex(State())

    /// Names the file of the maps; ``open()`` creates or opens it.
    ///
    /// - Throws: ``TrainingError`` if the disk has too little space for it.
    init(_ plan: Plan, at path: FilePath) throws {
        self.plan = plan
        self.path = path
        try DiskSpace.require(
            dataOffset + plan.count * plan.mapBytes, forNew: path, setting: "data.trunk_views")
    }

    deinit { close() }

    /// Closes the file and unlocks it for other runs.
    func close() {
        state.withLock { state in
            try? state.file?.close()
            state = State()
        }
    }

    /// Creates or opens the file and locks it against other processes.
    ///
    /// - Throws: ``TrainingError`` if another process uses the file, or if it was computed from
    ///   other images, by another trunk or with other settings.
    func open() throws {
        let lock: FileLock
        do {
            lock = try FileLock(FilePath(path.string + ".lock"))
        } catch {
            throw TrainingError.trunkMaps(
                path.string,
                error.isHeld
                    ? "another run is using these maps; wait until it ends, or choose another file"
                        + " with data.trunk_maps"
                    : "cannot be locked: \(error)")
        }
        let file = try FileDescriptor.open(
            path, .readWrite, options: [.create, .closeOnExec],
            permissions: [.ownerReadWrite, .groupRead, .otherRead])
        do {
            let checksums = try contents(of: file)
            state.withLock { state in
                (state.file, state.lock, state.checksums) = (file, lock, checksums)
            }
        } catch {
            try? file.close()
            throw error
        }
    }

    /// Returns whether the map of a view is in the file.
    func holds(_ view: AugmentedView) -> Bool {
        state.withLock { state in
            let place = plan.place(of: view)
            return place < state.checksums.count && state.checksums[place] != 0
        }
    }

    /// Returns the maps of a batch, in its order, after computing the missing ones from its pixels.
    ///
    /// - Parameters:
    ///   - batch: The batch with its views.
    ///   - pixels: The pixels of the rows in `TrainingBatch.pixelRows`, `[M, 3, S, S]`.
    ///   - encoder: The image encoder with the trunk.
    /// - Returns: Maps `[N, C, h, w]`, the input of the remaining stages.
    /// - Throws: ``TrainingError`` if a map is damaged; the errors of the file system.
    func input(
        _ batch: TrainingBatch, _ pixels: Tensor, of encoder: VisionTransformer
    ) throws -> ImageInput {
        for (place, row) in batch.pixelRows.enumerated() where !holds(batch.views[row]) {
            try withoutGradients {
                let map = encoder.trunk?.stageMap(pixels[place..<place + 1], stages: plan.stages)
                if let map { try keep(map, as: batch.views[row]) }
            }
        }
        let shape = [batch.views.count] + plan.shape
        let maps = try Tensor(shape: shape, dtype: .float16) { bytes in
            for (row, view) in batch.views.enumerated() {
                let range = row * plan.mapBytes..<(row + 1) * plan.mapBytes
                try read(view, into: .init(rebasing: bytes[range]), of: batch.images[row])
            }
        }
        // Maps are stored as `[h, w, C]`, the channels-last layout of the trunk's convolutions.
        return .stageMap(
            maps.to(pixels.device).to(.float32).permuted(0, 3, 1, 2), stages: plan.stages)
    }

    // MARK: The file

    private var tableOffset: Int { Self.pageBytes }
    private var dataOffset: Int {
        (tableOffset + 8 * plan.count + Self.pageBytes - 1) / Self.pageBytes * Self.pageBytes
    }

    private var header: [UInt64] {
        [
            Self.magic, Self.version, plan.digest, UInt64(plan.count), UInt64(plan.mapBytes),
        ].map(\.littleEndian)
    }

    /// Returns the checksums of a file's maps, after writing the header if the file is empty.
    private func contents(of file: FileDescriptor) throws -> [UInt64] {
        if try file.seek(offset: 0, from: .end) == 0 {
            _ = try header.withUnsafeBytes { try file.writeAll(toAbsoluteOffset: 0, $0) }
        }
        var found = [UInt64](repeating: 0, count: header.count)
        try found.withUnsafeMutableBytes { try file.read(all: $0, at: 0) }
        guard found == header else {
            throw TrainingError.trunkMaps(
                path.string,
                found.first == header.first
                    ? "was computed from other images, by another trunk or with other augmentation;"
                        + " delete it, or choose another file with data.trunk_maps"
                    : "is not a file of trunk maps; choose another file with data.trunk_maps")
        }
        var checksums = [UInt64](repeating: 0, count: plan.count)
        // The file may end within the table: entries that were never written are 0.
        try checksums.withUnsafeMutableBytes { try file.read(all: $0, at: tableOffset) }
        return checksums.map(UInt64.init(littleEndian:))
    }

    private func keep(_ map: Tensor, as view: AugmentedView) throws {
        let place = plan.place(of: view)
        let values = map.to(.cpu).permuted(0, 2, 3, 1).to(.float16).contiguous()
        try values.withUnsafeBytes { bytes in
            let checksum = ContentHash(bytes).word
            try state.withLock { state in
                guard let file = state.file else { return }
                try file.writeAll(
                    toAbsoluteOffset: Int64(dataOffset + place * plan.mapBytes), bytes)
                _ = try withUnsafeBytes(of: checksum.littleEndian) {
                    try file.writeAll(toAbsoluteOffset: Int64(tableOffset + 8 * place), $0)
                }
                state.checksums[place] = checksum
            }
        }
    }

    private func read(
        _ view: AugmentedView, into bytes: UnsafeMutableRawBufferPointer, of image: FilePath
    ) throws {
        let place = plan.place(of: view)
        let (file, checksum) = state.withLock { ($0.file, $0.checksums[place]) }
        try file?.read(all: bytes, at: dataOffset + place * plan.mapBytes)
        guard checksum != 0, ContentHash(UnsafeRawBufferPointer(bytes)).word == checksum else {
            // The pixels of this view were not loaded, so only the next run can compute the map
            // again.
            state.withLock { $0.checksums[place] = 0 }
            _ = try withUnsafeBytes(of: UInt64(0)) {
                try file?.writeAll(toAbsoluteOffset: Int64(tableOffset + 8 * place), $0)
            }
            throw TrainingError.trunkMaps(
                path.string,
                "the map of \(image) was damaged and has been removed; continue with --resume to"
                    + " compute it again")
        }
    }
}

extension FileDescriptor {
    /// Reads until the buffer is full; bytes beyond the end of the file read as 0.
    fileprivate func read(all bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws {
        var done = 0
        while done < bytes.count {
            let count = try read(
                fromAbsoluteOffset: Int64(offset + done), into: .init(rebasing: bytes[done...]))
            guard count > 0 else {
                bytes[done...].withMemoryRebound(to: UInt8.self) { $0.update(repeating: 0) }
                return
            }
            done += count
        }
    }
}

extension FileLock.Failure {
    fileprivate var isHeld: Bool {
        if case .held = self { true } else { false }
    }
}
