extension Tensor {
    /// A tensor of zeros.
    public static func zeros(
        _ shape: [Int], dtype: DType = .float32, device: Device = .cpu
    ) -> Tensor {
        full(shape, 0, dtype: dtype, device: device)
    }

    /// A tensor of ones.
    public static func ones(
        _ shape: [Int], dtype: DType = .float32, device: Device = .cpu
    ) -> Tensor {
        full(shape, 1, dtype: dtype, device: device)
    }

    /// A tensor of one repeated value.
    public static func full(
        _ shape: [Int], _ value: Double, dtype: DType = .float32, device: Device = .cpu
    ) -> Tensor {
        fullOp(.ints(shape), .double(value), .dtype(dtype), .none, .device(device), .none)
    }

    /// The integers of a range as a one-dimensional `int64` tensor.
    public static func arange(_ range: Range<Int>, device: Device = .cpu) -> Tensor {
        Tensor(Array(range), device: device)
    }

    /// Independent numbers, uniform in [0, 1).
    public static func uniform(_ shape: [Int], generator: Generator) -> Tensor {
        rand(
            .ints(shape), .generator(generator), .dtype(.float32), .none,
            .device(generator.device), .none)
    }

    /// Independent numbers from the standard normal distribution.
    public static func normal(_ shape: [Int], generator: Generator) -> Tensor {
        randn(
            .ints(shape), .generator(generator), .dtype(.float32), .none,
            .device(generator.device), .none)
    }

    /// Indices `[N, count]` drawn in proportion to each row of `[N, K]` weights, with replacement.
    public func multinomial(_ count: Int, generator: Generator) -> Tensor {
        Self.multinomialOp(.tensor(self), .int(count), .bool(true), .generator(generator))
    }

    /// The same elements in another type.
    public func to(_ dtype: DType) -> Tensor {
        dtype == self.dtype
            ? self : Self.toCopy(.tensor(self), .dtype(dtype), .none, .none, .none, .bool(false))
    }

    /// The same elements on another device.
    public func to(_ device: Device) -> Tensor {
        device == self.device
            ? self : Self.toCopy(.tensor(self), .none, .none, .device(device), .none, .bool(false))
    }

    /// The same elements in row-major order without gaps.
    public func contiguous() -> Tensor {
        isContiguous ? self : Self.contiguousOp(.tensor(self))
    }

    /// The same elements in memory of their own.
    public func clone() -> Tensor { Self.cloneOp(.tensor(self)) }

    private static let fullOp = Operator.known("aten::full")
    private static let rand = Operator.known("aten::rand", "generator")
    private static let randn = Operator.known("aten::randn", "generator")
    private static let multinomialOp = Operator.known("aten::multinomial")
    private static let toCopy = Operator.known("aten::_to_copy")
    private static let contiguousOp = Operator.known("aten::contiguous")
    private static let cloneOp = Operator.known("aten::clone")
}
