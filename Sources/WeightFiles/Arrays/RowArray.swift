import Foundation
import Storage
public import SystemPackage
public import Torch

/// An array to write row by row: the number of its rows is found while they are written.
public struct RowArray: Sendable, Hashable {
    /// The name in the file, which must be unique in it.
    public let name: String
    /// The type of the elements.
    public let dtype: DType
    /// The shape of one row; empty if a row is one number.
    public let rowShape: [Int]
    /// The kinds of labels that each row has, in order.
    public let labels: [LabelColumn]

    /// A kind of label.
    public struct LabelColumn: Sendable, Hashable {
        /// The name of the array of labels in a `.npz` file.
        public let name: String
        /// The key of the label in the lines of a file beside the arrays.
        public let key: String

        /// Creates a kind of label.
        public init(name: String, key: String) {
            self.name = name
            self.key = key
        }
    }

    /// Creates the description of an array.
    public init(name: String, dtype: DType, rowShape: [Int], labels: [LabelColumn] = []) {
        self.name = name
        self.dtype = dtype
        self.rowShape = rowShape
        self.labels = labels
    }

    /// The size of a row in bytes.
    var rowByteCount: Int { rowShape.reduce(dtype.byteCount, *) }
}

/// What a row is called: the path of an image, or a text.
///
/// A path may have any bytes. Python represents the bytes of a file name that are not UTF-8 by the
/// code points U+DC80 to U+DCFF, and so do the files of ``ArrayWriter``: `open()` finds the file.
public struct RowLabel: Sendable, Hashable {
    /// The bytes of the label, which are UTF-8 unless a path has others.
    let bytes: [UInt8]

    /// Creates the label of an image.
    public init(_ path: FilePath) { bytes = Array(path.bytes) }

    /// Creates the label of a text.
    public init(_ text: String) { bytes = Array(text.utf8) }

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// The label in Python's code points, of which a string of NumPy has four bytes each.
    var codePoints: [UInt32] {
        var points: [UInt32] = []
        points.reserveCapacity(bytes.count)
        var parser = Unicode.UTF8.ForwardParser()
        var rest = bytes.makeIterator()
        var place = 0
        while true {
            switch parser.parseScalar(from: &rest) {
            case .valid(let scalar):
                points.append(Unicode.UTF8.decode(scalar).value)
                place += scalar.count
            case .error(let length):
                points += bytes[place..<place + length].map { 0xDC00 + UInt32($0) }
                place += length
            case .emptyInput: return points
            }
        }
    }
}
