/// The number format in which a model that is only used multiplies matrices.
///
/// Sums, softmax, norms and the states between layers stay in single precision in all of them.
public enum ComputeType: String, Sendable, Hashable, CaseIterable {
    /// IEEE single precision, whose results are those of the original implementation.
    case float32
    /// 8 bits of precision in the factors, single precision in the sums. Products are 2 to 8 times
    /// as fast on processors with instructions for them.
    case bfloat16
    /// 8-bit integers in the products of linear layers, with a scale per output and one per row of
    /// the input; everything else is in single precision. Needs a processor with instructions for
    /// them (AVX512-VNNI, AVX-VNNI or AMX), on which products are several times as fast.
    case int8

    /// The type of tokens, and of the factors of other products than those of linear layers.
    public var dtype: DType {
        switch self {
        case .float32, .int8: .float32
        case .bfloat16: .bfloat16
        }
    }

    /// Whether layers on a device multiply in this type; if not, they multiply in single precision.
    public func isAvailable(on device: Device) -> Bool {
        self != .int8 || (device == .cpu && IntegerProduct.isAvailable)
    }

    /// The format of the fastest products on a device: bfloat16 on a processor that has
    /// instructions for them (AVX512-BF16 or AMX), else single precision.
    public static func fastest(on device: Device) -> ComputeType {
        device == .cpu && Libtorch.multipliesBFloat16 ? .bfloat16 : .float32
    }
}
