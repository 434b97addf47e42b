import Torch

/// The bytes before the numbers of NumPy's `.npy` format: a signature and a Python dictionary.
///
/// NumPy leaves room for 21 digits of the first dimension and pads to a multiple of 64 bytes, so the
/// length does not depend on the number of rows. The bytes equal those that `numpy.save` writes.
/// They have version 1.0; later versions are for records of many named fields.
enum NPYHeader {
    /// NumPy's names of the types; it has none for bfloat16.
    static let types: [DType: String] = [
        .uint8: "|u1", .int8: "|i1", .int16: "<i2", .int32: "<i4", .int64: "<i8",
        .float16: "<f2", .float32: "<f4", .float64: "<f8", .bool: "|b1",
    ]
    /// The most dimensions of an array.
    static let mostDimensions = 64

    /// Returns NumPy's name of the type of texts with at most `length` code points.
    static func textType(length: Int) -> String { "<U\(max(1, length))" }

    private static let alignment = 64
    /// The digits of the largest count, and one that NumPy adds.
    private static let roomForRows = 21

    /// Returns the header of an array `[rows] + rowShape` in row-major order.
    static func bytes(type: String, rows: Int, rowShape: [Int]) -> [UInt8] {
        // A tuple of one number needs a comma.
        let shape =
            rowShape.isEmpty
            ? "(\(rows),)" : "(\(([rows] + rowShape).map(String.init).joined(separator: ", ")))"
        var text = "{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape), }"
        text += String(repeating: " ", count: roomForRows - String(rows).count)
        let signature: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
        // With a line feed at the end and, as NumPy pads, at least one space before it.
        let used = signature.count + 2 + text.utf8.count + 1
        text += String(repeating: " ", count: alignment - used % alignment) + "\n"
        let length = UInt16(text.utf8.count).littleEndian
        return signature + withUnsafeBytes(of: length, Array.init) + Array(text.utf8)
    }
}
