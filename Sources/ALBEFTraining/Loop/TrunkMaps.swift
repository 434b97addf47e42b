import Storage
import ALBEF
import ImageText
import Synchronization
import SystemPackage
import Torch

/// What the frozen part of a trunk made of each view of the training images, in one file.
///
/// A map is computed when a step first needs it, by itself, so that it does not depend on the batch;
/// from then on it is read. It is kept in half precision, and computed steps use it as it is kept: a
/// resumed run reads what the interrupted one would have read.
///
/// The file begins with a header and one checksum per map, 0 for a map that is not there yet. A map
/// counts only if its checksum is right, so that a kill leaves nothing half written.
final class TrunkMaps: Sendable {
    private struct State {
        var file: FileDescriptor?
        var lock: FileLock?
        /// 0 where there is no map.
        var checksums: [UInt64] = []
    }

    private static let pageBytes = 4096
    private static let version: UInt64 = 1
    /// "ALBEFmap", as a little-endian number.
    private static let magic: UInt64 = 0x7061_6d46_4542_4c41

    private let plan: Plan
    private let path: FilePath
    private let state = Mutex(State())

    /// Names a file, which is opened or made by ``open()``.
    ///
    /// - Throws: ``TrainingError`` if the disk has no room for it.
    init(_ plan: Plan, at path: FilePath) throws {
        self.plan = plan
        self.path = path
        try DiskSpace.require(
            dataOffset + plan.count * plan.mapBytes, forNew: path, setting: "data.trunk_views")
    }

    deinit { close() }

    /// Closes the file and lets other runs use it.
    func close() {
        state.withLock { state in
            try? state.file?.close()
            state = State()
        }
    }

    /// Makes the file, or opens the one that is there, and keeps other processes from it.
    ///
    /// - Throws: ``TrainingError`` if another process uses the file, or if it was made of other
    ///   images, by another trunk or with other settings.
    func open() throws {
        let lock: FileLock
        do {
            lock = try FileLock(FilePath(path.string + ".lock"))
        } catch {
            throw TrainingError.trunkMaps(
                path.string,
                error.isHeld
                    ? "another run is using these maps; wait until it ends, or name another file with"
                        + " data.trunk_maps"
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

    /// Whether the map of a view is there.
    func holds(_ view: AugmentedView) -> Bool {
        state.withLock { state in
            let place = plan.place(of: view)
            return place < state.checksums.count && state.checksums[place] != 0
        }
    }

    /// The maps of a batch, in its order; those that are not there yet are made of its pixels.
    ///
    /// - Parameter pixels: of ``TrainingBatch/pixelRows``, `[M, 3, S, S]`.
    /// - Throws: ``TrainingError`` for a map that was damaged; an error of the file system.
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
        // Stored place by place, as the trunk's convolutions have them.
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

    /// The checksums of a file's maps; a file that is empty gets its header.
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
                    ? "was made of other images, by another trunk or with another augmentation;"
                        + " delete it, or name another file with data.trunk_maps"
                    : "is not a file of trunk maps; name another file with data.trunk_maps")
        }
        var checksums = [UInt64](repeating: 0, count: plan.count)
        // The table may end early: what was never written is absent.
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
            // Its pixels were not loaded: the next run makes it anew.
            state.withLock { $0.checksums[place] = 0 }
            _ = try withUnsafeBytes(of: UInt64(0)) {
                try file?.writeAll(toAbsoluteOffset: Int64(tableOffset + 8 * place), $0)
            }
            throw TrainingError.trunkMaps(
                path.string,
                "the map of \(image) was damaged and has been dropped; continue with --resume, which"
                    + " makes it anew")
        }
    }
}

extension FileDescriptor {
    /// Reads until the buffer is full; what lies behind the file's end reads as 0.
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
