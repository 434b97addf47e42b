/// The type of a tensor's elements.
///
/// The cases occur in the checkpoints, images and masks of this project. The raw values are those
/// of libtorch's `c10::ScalarType`.
public enum DType: Int8, Sendable, Hashable, CaseIterable {
    /// 8-bit unsigned integer.
    case uint8 = 0
    /// 8-bit signed integer.
    case int8 = 1
    /// 16-bit signed integer.
    case int16 = 2
    /// 32-bit signed integer.
    case int32 = 3
    /// 64-bit signed integer.
    case int64 = 4
    /// IEEE half precision.
    case float16 = 5
    /// IEEE single precision.
    case float32 = 6
    /// IEEE double precision.
    case float64 = 7
    /// A byte that is 0 or 1.
    case bool = 11
    /// The upper half of a single-precision number.
    case bfloat16 = 15

    /// The number of bytes per element.
    public var byteCount: Int {
        switch self {
        case .uint8, .int8, .bool: 1
        case .int16, .float16, .bfloat16: 2
        case .int32, .float32: 4
        case .int64, .float64: 8
        }
    }

    /// Whether the elements are floating-point numbers and so can have gradients.
    public var isFloatingPoint: Bool {
        switch self {
        case .float16, .float32, .float64, .bfloat16: true
        case .uint8, .int8, .int16, .int32, .int64, .bool: false
        }
    }
}
