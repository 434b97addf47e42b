/// The product of a linear layer in 8-bit integers, whose sums have 32 bits.
///
/// Each output has a scale, which its largest weight decides, and so has each row of the input,
/// which is rounded when it arrives. Per row, because one row with large numbers, as the class token
/// has, would leave the others few steps.
struct IntegerProduct: Sendable {
    private let operators: IntegerOperators
    private let weight: Tensor
    private let scales: Tensor
    private let zeros: Tensor
    private let bias: Tensor?

    /// Whether the processor has instructions for such products, and libtorch uses them.
    static var isAvailable: Bool { IntegerOperators.shared != nil }

    /// Rounds a weight `[O, I]`; its bias `[O]`, if any, stays in single precision.
    ///
    /// - Returns: nil unless ``isAvailable``.
    init?(_ matrix: Tensor, bias: Tensor?) {
        guard let operators = IntegerOperators.shared else { return nil }
        let (integers, steps) = operators.rounded(matrix)
        self.operators = operators
        self.bias = bias
        weight = operators.packed(
            (integers.to(.int16) - Double(IntegerOperators.shift)).to(.int8))
        scales = steps.flattened()
        zeros = Tensor.zeros([matrix.size(0)], dtype: .int32)
    }

    /// Maps `[…, I]` to `[…, O]`, in single precision.
    func callAsFunction(_ x: Tensor, _ activation: LinearActivation?) -> Tensor {
        let (integers, steps) = operators.rounded(x)
        let product = operators.product(integers, weight, scales, zeros)
        let sum = bias.map { operators.sum($0, product, times: steps) } ?? product * steps
        return activation.map { $0(sum) } ?? sum
    }
}

/// oneDNN's products of integers, and what prepares their factors.
private struct IntegerOperators: Sendable {
    /// The operators; nil on a processor or in a libtorch without them.
    static let shared = IntegerOperators()

    /// What is added to integers: processors without AMX multiply bytes without a sign by bytes with
    /// one.
    static let shift = 128

    private let pack: Operator
    private let multiply: Operator
    private let empty: Operator
    private let addProduct: Operator

    private init?() {
        guard Libtorch.multipliesInt8, let pack = try? Operator("onednn::qlinear_prepack"),
            let multiply = try? Operator("onednn::qlinear_pointwise"),
            let empty = try? Operator("aten::new_empty"),
            let addProduct = try? Operator("aten::addcmul")
        else { return nil }
        (self.pack, self.multiply, self.empty) = (pack, multiply, empty)
        self.addProduct = addProduct
    }

    /// Rounds each row of `[…, N]` to integers, which are shifted, and returns them with the size of
    /// a step, `[…, 1]`.
    func rounded(_ x: Tensor) -> (integers: Tensor, steps: Tensor) {
        let x = x.contiguous()
        let integers = empty(.tensor(x), .ints(x.shape), .dtype(.uint8))
        let steps = empty(.tensor(x), .ints(x.shape.dropLast() + [1]))
        Libtorch.roundRows(x.handle, into: integers.handle, steps: steps.handle)
        return (integers, steps)
    }

    /// Returns `start + x * factors`.
    func sum(_ start: Tensor, _ x: Tensor, times factors: Tensor) -> Tensor {
        addProduct(.tensor(start), .tensor(x), .tensor(factors), .double(1))
    }

    /// Arranges integers `[O, I]`.
    func packed(_ integers: Tensor) -> Tensor { pack(.tensor(integers), .none) }

    /// Multiplies shifted integers `[…, I]` by an arranged weight, and each output by its scale.
    func product(_ x: Tensor, _ weight: Tensor, _ scales: Tensor, _ zeros: Tensor) -> Tensor {
        multiply(
            .tensor(x), .double(1), .int(Self.shift), .tensor(weight), .tensor(scales),
            .tensor(zeros), .none, .double(1), .int(0), .dtype(.float32), .string("none"),
            .doubles([]), .string(""))
    }
}
