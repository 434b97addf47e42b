extension Tensor {
    /// Adds two tensors element by element, with broadcasting.
    public static func + (a: Tensor, b: Tensor) -> Tensor { Ops.add(.tensor(a), .tensor(b)) }
    /// Subtracts `b` from `a` element by element, with broadcasting.
    public static func - (a: Tensor, b: Tensor) -> Tensor { Ops.sub(.tensor(a), .tensor(b)) }
    /// Multiplies two tensors element by element, with broadcasting.
    public static func * (a: Tensor, b: Tensor) -> Tensor { Ops.mul(.tensor(a), .tensor(b)) }
    /// Divides `a` by `b` element by element, with broadcasting.
    public static func / (a: Tensor, b: Tensor) -> Tensor { Ops.div(.tensor(a), .tensor(b)) }
    /// Adds a number to every element.
    public static func + (a: Tensor, b: Double) -> Tensor { Ops.addScalar(.tensor(a), .double(b)) }
    /// Subtracts a number from every element.
    public static func - (a: Tensor, b: Double) -> Tensor { Ops.subScalar(.tensor(a), .double(b)) }
    /// Multiplies every element by a number.
    public static func * (a: Tensor, b: Double) -> Tensor { Ops.mulScalar(.tensor(a), .double(b)) }
    /// Divides every element by a number.
    public static func / (a: Tensor, b: Double) -> Tensor { Ops.divScalar(.tensor(a), .double(b)) }
    /// Negates every element.
    public static prefix func - (a: Tensor) -> Tensor { Ops.neg(.tensor(a)) }

    /// Compares every element with a number, and returns a `bool` tensor.
    public func isEqual(to value: Double) -> Tensor { Ops.eqScalar(.tensor(self), .double(value)) }
    /// Compares the elements of two tensors, with broadcasting, and returns a `bool` tensor.
    public func isEqual(to other: Tensor) -> Tensor { Ops.eq(.tensor(self), .tensor(other)) }
    /// Returns a `bool` tensor that is true where an element is larger than a number.
    public func isGreater(than value: Double) -> Tensor {
        Ops.gtScalar(.tensor(self), .double(value))
    }
    /// Returns the elements of `a` where `condition` is true, and those of `b` elsewhere.
    public static func selecting(_ a: Tensor, _ b: Tensor, where condition: Tensor) -> Tensor {
        Ops.whereOp(.tensor(condition), .tensor(a), .tensor(b))
    }
    /// Returns `value` where `mask` is true, and the elements of this tensor elsewhere.
    public func filled(with value: Double, where mask: Tensor) -> Tensor {
        Ops.maskedFill(.tensor(self), .tensor(mask), .double(value))
    }

    /// Returns e to the power of each element.
    public func exp() -> Tensor { Ops.exp(.tensor(self)) }
    /// Returns the natural logarithm of each element.
    public func log() -> Tensor { Ops.log(.tensor(self)) }
    /// Returns the square root of each element.
    public func sqrt() -> Tensor { Ops.sqrt(.tensor(self)) }
    /// Returns the hyperbolic tangent of each element.
    public func tanh() -> Tensor { Ops.tanh(.tensor(self)) }
    /// Returns 1 / (1 + e^-x) of each element x.
    public func sigmoid() -> Tensor { Ops.sigmoid(.tensor(self)) }
    /// Returns the absolute value of each element.
    public func abs() -> Tensor { Ops.abs(.tensor(self)) }
    /// Rounds each element to the nearest whole number, and halves to the even one.
    public func rounded() -> Tensor { Ops.round(.tensor(self)) }
    /// Returns the inverse error function of each element.
    public func erfinv() -> Tensor { Ops.erfinv(.tensor(self)) }
    /// Limits each element to the range from `lower` to `upper`.
    public func clamped(_ lower: Double, _ upper: Double) -> Tensor {
        Ops.clamp(.tensor(self), .double(lower), .double(upper))
    }

    /// Returns the GELU of each element (Hendrycks and Gimpel, 2016).
    ///
    /// - Parameter isApproximate: whether the hyperbolic tangent replaces the error function; false
    ///   by default.
    public func gelu(isApproximate: Bool = false) -> Tensor {
        Ops.gelu(.tensor(self), .string(isApproximate ? "tanh" : "none"))
    }
    /// Returns max(x, 0) of each element x.
    public func relu() -> Tensor { Ops.relu(.tensor(self)) }

    /// Multiplies matrices over the last two dimensions, with broadcasting over the others.
    ///
    /// `[…, M, K]` and `[…, K, N]` result in `[…, M, N]`.
    public func matmul(_ other: Tensor) -> Tensor { Ops.matmul(.tensor(self), .tensor(other)) }

    /// Returns the softmax along a dimension, which sums to 1.
    public func softmax(_ dimension: Int) -> Tensor {
        Ops.softmax(.tensor(self), .int(dimension), .none)
    }

    /// Returns the natural logarithm of the softmax along a dimension.
    public func logSoftmax(_ dimension: Int) -> Tensor {
        Ops.logSoftmax(.tensor(self), .int(dimension), .none)
    }

    /// Divides each vector along a dimension by its Euclidean length, or by 1e-12 if that is
    /// larger.
    public func normalized(_ dimension: Int = -1) -> Tensor {
        let length = Ops.norm(.tensor(self), .double(2), .ints([dimension]), .bool(true))
        return self / length.clamped(1e-12, .infinity)
    }

    /// Returns whether every element is within `absolute + relative * |other|` of its counterpart.
    ///
    /// Waits for the device of the tensors.
    public func isClose(
        to other: Tensor, relative: Double = 1e-5, absolute: Double = 1e-8
    ) -> Bool {
        let outputs = Ops.allclose.outputs([
            .tensor(self), .tensor(other), .double(relative), .double(absolute), .bool(false),
        ])
        if case .bool(let result)? = outputs.first { return result }
        return false
    }

    /// Adds `other * scale` in place, for parameters, which only their optimizer changes.
    package func addInPlace(_ other: Tensor, scale: Double = 1) {
        _ = Ops.addInPlace(.tensor(self), .tensor(other), .double(scale))
    }

    /// Limits the elements to a range in place, for parameters, which only their owner changes.
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
