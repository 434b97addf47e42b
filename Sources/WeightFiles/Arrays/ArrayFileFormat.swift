public import SystemPackage

/// A format of files that hold arrays for Python.
public enum ArrayFileFormat: String, Sendable, Hashable, CaseIterable {
    /// NumPy's archive: any number of arrays, and texts beside them.
    case npz
    /// NumPy's file of a single array.
    case npy
    /// Hugging Face's safetensors: any number of arrays.
    case safetensors

    /// Creates the format of a file by the extension of its name; nil if the extension is another.
    public init?(of path: FilePath) {
        guard let suffix = path.extension, let format = Self(rawValue: suffix.lowercased()) else {
            return nil
        }
        self = format
    }

    /// Whether a file of this format can hold the labels of rows, rather than a file beside it.
    public var holdsLabels: Bool { self == .npz }
}
