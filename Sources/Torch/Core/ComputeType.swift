/// The number format in which a model that is only used multiplies matrices.
///
/// Sums, softmax, norms and the states between layers stay in single precision in both.
public enum ComputeType: String, Sendable, Hashable, CaseIterable {
    /// IEEE single precision, whose results are those of the original implementation.
    case float32
    /// 8 bits of precision in the factors, single precision in the sums. Products are 2 to 8 times
    /// as fast on processors with instructions for them.
    case bfloat16

    /// The type of the factors.
    public var dtype: DType {
        switch self {
        case .float32: .float32
        case .bfloat16: .bfloat16
        }
    }

    /// The format of the fastest products on a device: bfloat16 on a processor that has
    /// instructions for them (AVX512-BF16 or AMX), else single precision.
    public static func fastest(on device: Device) -> ComputeType {
        device == .cpu && Libtorch.multipliesBFloat16 ? .bfloat16 : .float32
    }
}
