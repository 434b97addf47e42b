import Storage
public import SystemPackage
public import Torch

/// Writes arrays row by row into a file that Python reads: `.npz`, `.npy` or `.safetensors`.
///
/// Nothing but the rows at hand is in memory, and their number need not be known. A file appears
/// either complete or not at all: a writer that is released without ``commit()`` leaves nothing.
///
/// Every row can have labels, such as the path of its image. A `.npz` file holds them as arrays of
/// fixed-width strings, which NumPy loads without pickle. With the other formats they are in a file
/// of JSON Lines beside the arrays, one line per row.
///
/// ```swift
/// let images = RowArray(name: "image_features", dtype: .float32, rowShape: [256])
/// let writer = try ArrayWriter("features.npz", [images])
/// for rows in batches { try writer.append(rows) }
/// try writer.commit()
/// ```
public final class ArrayWriter {
    /// The path of the file.
    public var path: FilePath { file.path }
    /// The path of the file of labels; nil if there are none, or the file of arrays holds them.
    public var labelPath: FilePath? { lines?.path }
    /// The arrays, in the order of the file.
    public let arrays: [RowArray]
    /// The number of rows of each array so far.
    public private(set) var rowCounts: [Int]

    private let file: AtomicFile
    private var layout: any ArrayLayout
    private var current = 0
    private var spools: [LabelSpool] = []
    private let lines: LabelLines?

    /// Creates the file under a temporary name.
    ///
    /// - Parameters:
    ///   - path: The path of the file; an existing file is replaced by ``commit()``.
    ///   - format: The format; nil for the one of the path's extension.
    ///   - arrays: The arrays, at least one; they are written in this order.
    ///   - metadata: Strings to store in a safetensors file; the other formats have no place for
    ///     them. None by default.
    /// - Throws: `FileError` if the extension is unknown, the format cannot hold the arrays, or a
    ///   file cannot be created.
    public init(
        _ path: FilePath, format: ArrayFileFormat? = nil, _ arrays: [RowArray],
        metadata: [String: String] = [:]
    ) throws {
        guard let format = format ?? ArrayFileFormat(of: path) else {
            let known = ArrayFileFormat.allCases.map { ".\($0.rawValue)" }
            throw FileError(
                path,
                .part("needs a name that ends in \(known.joined(separator: ", ")), for its format"))
        }
        guard !arrays.isEmpty, format != .npy || arrays.count == 1 else {
            throw FileError(
                path, .part("holds one array, not \(arrays.count); use .npz or .safetensors"))
        }
        var names: Set<String> = []
        for name in arrays.flatMap({ [$0.name] + (format == .npz ? $0.labels.map(\.name) : []) })
        where !names.insert(name).inserted {
            throw FileError(
                path, .tensor(name: name, problem: "needs another name; this one is taken"))
        }
        let file = try AtomicFile(path)
        self.file = file
        let isLabelled = arrays.contains { !$0.labels.isEmpty }
        lines = isLabelled && !format.holdsLabels ? try LabelLines(beside: path) : nil
        layout =
            switch format {
            case .npz: NPZLayout()
            case .npy: NPYLayout()
            case .safetensors: try SafetensorsLayout(arrays, metadata: metadata, in: file)
            }
        self.arrays = arrays
        rowCounts = arrays.map { _ in 0 }
        try begin()
    }

    /// Appends rows to the current array: the first one, until ``endArray()`` is called.
    ///
    /// - Parameters:
    ///   - rows: The rows `[B] + rowShape`, which are converted to the array's type.
    ///   - labels: The labels of each row, as many as the array has kinds of them.
    /// - Precondition: The array has this shape and these labels.
    /// - Throws: `FileError` if the disk is full or fails.
    /// - Complexity: O(n) for n elements.
    public func append(_ rows: Tensor, labels: [[RowLabel]] = []) throws {
        let array = arrays[current]
        precondition(
            Array(rows.shape.dropFirst()) == array.rowShape,
            "rows of shape \(rows.shape) do not fit an array of \(array.rowShape)")
        precondition(
            array.labels.isEmpty
                || labels.count == rows.size(0)
                    && labels.allSatisfy { $0.count == array.labels.count },
            "each of \(rows.size(0)) rows needs \(array.labels.count) labels")
        try rows.to(array.dtype).withUnsafeBytes { bytes in
            try TorchError.throwPending()
            try file.write(bytes)
            layout.count(bytes)
        }
        for row in array.labels.isEmpty ? [] : labels {
            try lines?.append(row, array.labels)
            for (spool, label) in zip(spools, row) { try spool.append(label) }
        }
        rowCounts[current] += rows.size(0)
    }

    /// Ends the current array and begins the next one.
    ///
    /// - Precondition: There is a next one.
    public func endArray() throws {
        precondition(current + 1 < arrays.count, "the last array ends with commit()")
        try finishArray()
        current += 1
        try begin()
    }

    /// Ends the last array, and moves the complete file into place.
    ///
    /// A file of labels beside it comes first. If the process ends between the two, there are
    /// labels without an array.
    ///
    /// - Precondition: ``endArray()`` has ended all other arrays.
    /// - Throws: `FileError` if a file cannot be written or renamed.
    public func commit() throws {
        precondition(current + 1 == arrays.count, "\(arrays[current + 1].name) was not begun")
        try finishArray()
        try layout.finish(in: file)
        if let lines {
            // No array may have the labels of another one, so an earlier array goes first.
            try file.flush()
            unlink(path.string)
            try lines.commit()
        }
        try file.commit()
    }

    private func begin() throws {
        let array = arrays[current]
        try layout.begin(array, in: file)
        spools = lines == nil ? try array.labels.map { _ in try LabelSpool(beside: path) } : []
    }

    private func finishArray() throws {
        try layout.end(arrays[current], rows: rowCounts[current], labels: spools, in: file)
        spools = []
    }
}
