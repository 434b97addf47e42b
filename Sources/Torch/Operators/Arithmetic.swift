extension Tensor {
    /// Sum, element by element, with broadcasting.
    public static func + (a: Tensor, b: Tensor) -> Tensor { Ops.add(.tensor(a), .tensor(b)) }
    /// Difference, element by element, with broadcasting.
    public static func - (a: Tensor, b: Tensor) -> Tensor { Ops.sub(.tensor(a), .tensor(b)) }
    /// Product, element by element, with broadcasting.
    public static func * (a: Tensor, b: Tensor) -> Tensor { Ops.mul(.tensor(a), .tensor(b)) }
    /// Quotient, element by element, with broadcasting.
    public static func / (a: Tensor, b: Tensor) -> Tensor { Ops.div(.tensor(a), .tensor(b)) }
    /// Adds a number to every element.
    public static func + (a: Tensor, b: Double) -> Tensor { Ops.addScalar(.tensor(a), .double(b)) }
    /// Subtracts a number from every element.
    public static func - (a: Tensor, b: Double) -> Tensor { Ops.subScalar(.tensor(a), .double(b)) }
    /// Multiplies every element by a number.
    public static func * (a: Tensor, b: Double) -> Tensor { Ops.mulScalar(.tensor(a), .double(b)) }
    /// Divides every element by a number.
    public static func / (a: Tensor, b: Double) -> Tensor { Ops.divScalar(.tensor(a), .double(b)) }
    /// The elements with their signs changed.
    public static prefix func - (a: Tensor) -> Tensor { Ops.neg(.tensor(a)) }

    /// Where the elements equal a number, as `bool`.
    public func isEqual(to value: Double) -> Tensor { Ops.eqScalar(.tensor(self), .double(value)) }
    /// Where the elements equal those of another tensor, as `bool`.
    public func isEqual(to other: Tensor) -> Tensor { Ops.eq(.tensor(self), .tensor(other)) }
    /// Where the elements are larger than a number, as `bool`.
    public func isGreater(than value: Double) -> Tensor {
        Ops.gtScalar(.tensor(self), .double(value))
    }
    /// The elements of `a` where `condition` is true, those of `b` where it is not.
    public static func selecting(_ a: Tensor, _ b: Tensor, where condition: Tensor) -> Tensor {
        Ops.whereOp(.tensor(condition), .tensor(a), .tensor(b))
    }
    /// The elements where `mask` is false, `value` where it is true.
    public func filled(with value: Double, where mask: Tensor) -> Tensor {
        Ops.maskedFill(.tensor(self), .tensor(mask), .double(value))
    }

    /// e to the power of each element.
    public func exp() -> Tensor { Ops.exp(.tensor(self)) }
    /// The natural logarithm of each element.
    public func log() -> Tensor { Ops.log(.tensor(self)) }
    /// The square root of each element.
    public func sqrt() -> Tensor { Ops.sqrt(.tensor(self)) }
    /// The hyperbolic tangent of each element.
    public func tanh() -> Tensor { Ops.tanh(.tensor(self)) }
    /// 1 / (1 + e^-x) of each element.
    public func sigmoid() -> Tensor { Ops.sigmoid(.tensor(self)) }
    /// The absolute value of each element.
    public func abs() -> Tensor { Ops.abs(.tensor(self)) }
    /// Each element to the nearest whole number, halves to the even one.
    public func rounded() -> Tensor { Ops.round(.tensor(self)) }
    /// The inverse error function of each element.
    public func erfinv() -> Tensor { Ops.erfinv(.tensor(self)) }
    /// Each element, no smaller than `lower` and no larger than `upper`.
    public func clamped(_ lower: Double, _ upper: Double) -> Tensor {
        Ops.clamp(.tensor(self), .double(lower), .double(upper))
    }

    /// The exact (erf) GELU of each element.
    ///
    /// - Parameter isApproximate: whether by the hyperbolic tangent instead of the error function.
    public func gelu(isApproximate: Bool = false) -> Tensor {
        Ops.gelu(.tensor(self), .string(isApproximate ? "tanh" : "none"))
    }
    /// max(x, 0) of each element.
    public func relu() -> Tensor { Ops.relu(.tensor(self)) }

    /// Matrix product over the last two dimensions, with broadcasting over the others.
    public func matmul(_ other: Tensor) -> Tensor { Ops.matmul(.tensor(self), .tensor(other)) }

    /// Softmax along a dimension; sums to 1.
    public func softmax(_ dimension: Int) -> Tensor {
        Ops.softmax(.tensor(self), .int(dimension), .none)
    }

    /// Logarithm of the softmax along a dimension.
    public func logSoftmax(_ dimension: Int) -> Tensor {
        Ops.logSoftmax(.tensor(self), .int(dimension), .none)
    }

    /// The vectors along a dimension, each divided by its Euclidean length (at least 1e-12).
    public func normalized(_ dimension: Int = -1) -> Tensor {
        let length = Ops.norm(.tensor(self), .double(2), .ints([dimension]), .bool(true))
        return self / length.clamped(1e-12, .infinity)
    }

    /// Whether every element lies within `absolute + relative * |other|` of its counterpart.
    public func isClose(
        to other: Tensor, relative: Double = 1e-5, absolute: Double = 1e-8
    ) -> Bool {
        let outputs = Ops.allclose.outputs([
            .tensor(self), .tensor(other), .double(relative), .double(absolute), .bool(false),
        ])
        if case .bool(let result)? = outputs.first { return result }
        return false
    }

    /// Adds `other * scale` to the elements in place: for parameters, which their optimizer owns.
    package func addInPlace(_ other: Tensor, scale: Double = 1) {
        _ = Ops.addInPlace(.tensor(self), .tensor(other), .double(scale))
    }

    /// Brings the elements into a range in place: for parameters, which their owner alone changes.
    package func clampInPlace(_ lower: Double, _ upper: Double) {
        _ = Ops.clampInPlace(.tensor(self), .double(lower), .double(upper))
    }

    private enum Ops {
        static let clampInPlace = Operator.known("aten::clamp_")
        static let add = Operator.known("aten::add", "Tensor")
        static let sub = Operator.known("aten::sub", "Tensor")
        static let mul = Operator.known("aten::mul", "Tensor")
        static let div = Operator.known("aten::div", "Tensor")
        static let addScalar = Operator.known("aten::add", "Scalar")
        static let subScalar = Operator.known("aten::sub", "Scalar")
        static let mulScalar = Operator.known("aten::mul", "Scalar")
        static let divScalar = Operator.known("aten::div", "Scalar")
        static let neg = Operator.known("aten::neg")
        static let eq = Operator.known("aten::eq", "Tensor")
        static let eqScalar = Operator.known("aten::eq", "Scalar")
        static let gtScalar = Operator.known("aten::gt", "Scalar")
        static let whereOp = Operator.known("aten::where", "self")
        static let maskedFill = Operator.known("aten::masked_fill", "Scalar")
        static let round = Operator.known("aten::round")
        static let exp = Operator.known("aten::exp")
        static let log = Operator.known("aten::log")
        static let sqrt = Operator.known("aten::sqrt")
        static let tanh = Operator.known("aten::tanh")
        static let sigmoid = Operator.known("aten::sigmoid")
        static let abs = Operator.known("aten::abs")
        static let erfinv = Operator.known("aten::erfinv")
        static let clamp = Operator.known("aten::clamp")
        static let gelu = Operator.known("aten::gelu")
        static let relu = Operator.known("aten::relu")
        static let matmul = Operator.known("aten::matmul")
        static let softmax = Operator.known("aten::softmax", "int")
        static let logSoftmax = Operator.known("aten::log_softmax", "int")
        static let norm = Operator.known("aten::norm", "ScalarOpt_dim")
        static let allclose = Operator.known("aten::allclose")
        static let addInPlace = Operator.known("aten::add_", "Tensor")
    }
}
