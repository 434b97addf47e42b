extension Tensor {
    /// The same elements in another shape; one size may be -1, and is computed.
    public func reshaped(_ shape: Int...) -> Tensor { reshaped(shape) }

    /// The same elements in another shape; one size may be -1, and is computed.
    public func reshaped(_ shape: [Int]) -> Tensor { Ops.reshape(.tensor(self), .ints(shape)) }

    /// The dimensions in another order.
    public func permuted(_ dimensions: Int...) -> Tensor {
        Ops.permute(.tensor(self), .ints(dimensions))
    }

    /// Two dimensions exchanged; by default the last two.
    public func transposed(_ first: Int = -2, _ second: Int = -1) -> Tensor {
        Ops.transpose(.tensor(self), .int(first), .int(second))
    }

    /// All dimensions from `first` on merged into one.
    public func flattened(from first: Int = 0) -> Tensor {
        Ops.flatten(.tensor(self), .int(first), .int(-1))
    }

    /// A new dimension of size 1.
    public func unsqueezed(_ dimension: Int) -> Tensor {
        Ops.unsqueeze(.tensor(self), .int(dimension))
    }

    /// A dimension of size 1 removed.
    public func squeezed(_ dimension: Int) -> Tensor { Ops.squeeze(.tensor(self), .int(dimension)) }

    /// Repeated along dimensions of size 1, without copying; -1 keeps a size.
    public func expanded(_ shape: Int...) -> Tensor { expanded(shape) }

    /// Repeated along dimensions of size 1, without copying; -1 keeps a size.
    public func expanded(_ shape: [Int]) -> Tensor { Ops.expand(.tensor(self), .ints(shape)) }

    /// Elements `start ..< start + length` along a dimension.
    public func narrowed(_ dimension: Int, from start: Int, length: Int) -> Tensor {
        Ops.narrow(.tensor(self), .int(dimension), .int(start), .int(length))
    }

    /// Split along a dimension into `count` equal parts.
    public func chunked(_ count: Int, _ dimension: Int) -> [Tensor] {
        Ops.chunk.tensors([.tensor(self), .int(count), .int(dimension)], room: count)
    }

    /// Every slice along a dimension, with that dimension removed.
    public func unbound(_ dimension: Int = 0) -> [Tensor] {
        Ops.unbind.tensors([.tensor(self), .int(dimension)], room: Swift.max(1, size(dimension)))
    }

    /// Tensors joined along an existing dimension.
    ///
    /// - Precondition: there is at least one tensor, since none has no shape.
    public static func concatenated(_ tensors: [Tensor], _ dimension: Int = 0) -> Tensor {
        precondition(!tensors.isEmpty, "no tensors to concatenate: check for an empty list first")
        return Ops.cat(.tensors(tensors), .int(dimension))
    }

    /// Tensors of one shape joined along a new dimension.
    ///
    /// - Precondition: there is at least one tensor, since none has no shape.
    public static func stacked(_ tensors: [Tensor], _ dimension: Int = 0) -> Tensor {
        precondition(!tensors.isEmpty, "no tensors to stack: check for an empty list first")
        return Ops.stack(.tensors(tensors), .int(dimension))
    }

    /// The slices along a dimension that a one-dimensional tensor of indices names.
    public func selected(_ dimension: Int, _ indices: Tensor) -> Tensor {
        Ops.indexSelect(.tensor(self), .int(dimension), .tensor(indices))
    }

    /// `self[…, indices[…], …]` along a dimension, element by element.
    public func gathered(_ dimension: Int, _ indices: Tensor) -> Tensor {
        Ops.gather(.tensor(self), .int(dimension), .tensor(indices), .bool(false))
    }

    /// Bicubic interpolation of `[N, C, H, W]` to another size (cubic coefficient -0.75), as
    /// position embeddings are resized.
    ///
    /// - Parameter isAntialiased: whether the filter widens where the image shrinks.
    public func interpolatedBicubic(
        height: Int, width: Int, isAntialiased: Bool = false
    ) -> Tensor {
        let resize = isAntialiased ? Ops.antialiasedBicubic : Ops.bicubic
        return resize(.tensor(self), .ints([height, width]), .bool(false), .none, .none)
    }

    private enum Ops {
        static let reshape = Operator.known("aten::reshape")
        static let permute = Operator.known("aten::permute")
        static let transpose = Operator.known("aten::transpose", "int")
        static let flatten = Operator.known("aten::flatten", "using_ints")
        static let unsqueeze = Operator.known("aten::unsqueeze")
        static let squeeze = Operator.known("aten::squeeze", "dim")
        static let expand = Operator.known("aten::expand")
        static let narrow = Operator.known("aten::narrow")
        static let chunk = Operator.known("aten::chunk")
        static let unbind = Operator.known("aten::unbind", "int")
        static let cat = Operator.known("aten::cat")
        static let stack = Operator.known("aten::stack")
        static let indexSelect = Operator.known("aten::index_select")
        static let gather = Operator.known("aten::gather")
        static let bicubic = Operator.known("aten::upsample_bicubic2d")
        static let antialiasedBicubic = Operator.known("aten::_upsample_bicubic2d_aa")
    }
}
