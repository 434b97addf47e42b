extension Tensor {
    /// Creates a tensor of zeros, by default in single precision on the CPU.
    public static func zeros(
        _ shape: [Int], dtype: DType = .float32, device: Device = .cpu
    ) -> Tensor {
        full(shape, 0, dtype: dtype, device: device)
    }

    /// Creates a tensor of ones, by default in single precision on the CPU.
    public static func ones(
        _ shape: [Int], dtype: DType = .float32, device: Device = .cpu
    ) -> Tensor {
        full(shape, 1, dtype: dtype, device: device)
    }

    /// Creates a tensor that repeats one value, by default in single precision on the CPU.
    public static func full(
        _ shape: [Int], _ value: Double, dtype: DType = .float32, device: Device = .cpu
    ) -> Tensor {
        fullOp(.ints(shape), .double(value), .dtype(dtype), .none, .device(device), .none)
    }

    /// Creates a one-dimensional `int64` tensor of the integers in a range.
    public static func arange(_ range: Range<Int>, device: Device = .cpu) -> Tensor {
        Tensor(Array(range), device: device)
    }

    /// Draws independent `float32` numbers, uniform in [0, 1), on the generator's device.
    public static func uniform(_ shape: [Int], generator: Generator) -> Tensor {
        rand(
            .ints(shape), .generator(generator), .dtype(.float32), .none,
            .device(generator.device), .none)
    }

    /// Draws independent `float32` numbers from the standard normal distribution, on the
    /// generator's device.
    public static func normal(_ shape: [Int], generator: Generator) -> Tensor {
        randn(
            .ints(shape), .generator(generator), .dtype(.float32), .none,
            .device(generator.device), .none)
    }

    /// Draws indices with replacement, in proportion to the weights in each row.
    ///
    /// Weights `[N, K]` result in indices `[N, count]`.
    public func multinomial(_ count: Int, generator: Generator) -> Tensor {
        Self.multinomialOp(.tensor(self), .int(count), .bool(true), .generator(generator))
    }

    /// Converts the elements to a type, or returns this tensor if it has that type.
    public func to(_ dtype: DType) -> Tensor {
        dtype == self.dtype
            ? self : Self.toCopy(.tensor(self), .dtype(dtype), .none, .none, .none, .bool(false))
    }

    /// Copies the elements to a device, or returns this tensor if it is there.
    public func to(_ device: Device) -> Tensor {
        device == self.device
            ? self : Self.toCopy(.tensor(self), .none, .none, .device(device), .none, .bool(false))
    }

    /// Returns this tensor if it is contiguous, otherwise a copy in row-major order without gaps.
    public func contiguous() -> Tensor {
        isContiguous ? self : Self.contiguousOp(.tensor(self))
    }

    /// Copies the elements into new memory.
    public func clone() -> Tensor { Self.cloneOp(.tensor(self)) }

    private static let fullOp = Operator.known("aten::full")
    private static let rand = Operator.known("aten::rand", "generator")
    private static let randn = Operator.known("aten::randn", "generator")
    private static let multinomialOp = Operator.known("aten::multinomial")
    private static let toCopy = Operator.known("aten::_to_copy")
    private static let contiguousOp = Operator.known("aten::contiguous")
    private static let cloneOp = Operator.known("aten::clone")
}
