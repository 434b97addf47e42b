extension Tensor {
    /// Returns the same elements in another shape.
    ///
    /// - Parameter shape: the new sizes; a single -1 is computed from the others.
    public func reshaped(_ shape: Int...) -> Tensor { reshaped(shape) }

    /// Returns the same elements in another shape.
    ///
    /// - Parameter shape: the new sizes; a single -1 is computed from the others.
    public func reshaped(_ shape: [Int]) -> Tensor { Ops.reshape(.tensor(self), .ints(shape)) }

    /// Returns a view with the dimensions in the given order.
    public func permuted(_ dimensions: Int...) -> Tensor {
        Ops.permute(.tensor(self), .ints(dimensions))
    }

    /// Returns a view with two dimensions exchanged, by default the last two.
    public func transposed(_ first: Int = -2, _ second: Int = -1) -> Tensor {
        Ops.transpose(.tensor(self), .int(first), .int(second))
    }

    /// Merges all dimensions from `first` to the last into one.
    public func flattened(from first: Int = 0) -> Tensor {
        Ops.flatten(.tensor(self), .int(first), .int(-1))
    }

    /// Inserts a dimension of size 1 at an index.
    public func unsqueezed(_ dimension: Int) -> Tensor {
        Ops.unsqueeze(.tensor(self), .int(dimension))
    }

    /// Removes a dimension of size 1.
    public func squeezed(_ dimension: Int) -> Tensor { Ops.squeeze(.tensor(self), .int(dimension)) }

    /// Repeats the elements along dimensions of size 1, without copying them.
    ///
    /// - Parameter shape: the new sizes; -1 keeps a size.
    public func expanded(_ shape: Int...) -> Tensor { expanded(shape) }

    /// Repeats the elements along dimensions of size 1, without copying them.
    ///
    /// - Parameter shape: the new sizes; -1 keeps a size.
    public func expanded(_ shape: [Int]) -> Tensor { Ops.expand(.tensor(self), .ints(shape)) }

    /// Returns a view of the slices `start ..< start + length` along a dimension.
    public func narrowed(_ dimension: Int, from start: Int, length: Int) -> Tensor {
        Ops.narrow(.tensor(self), .int(dimension), .int(start), .int(length))
    }

    /// Splits the tensor along a dimension into `count` parts.
    ///
    /// If `count` does not divide the size, the last part is smaller, and libtorch may return fewer
    /// parts.
    public func chunked(_ count: Int, _ dimension: Int) -> [Tensor] {
        Ops.chunk.tensors([.tensor(self), .int(count), .int(dimension)], room: count)
    }

    /// Returns every slice along a dimension, without that dimension.
    public func unbound(_ dimension: Int = 0) -> [Tensor] {
        Ops.unbind.tensors([.tensor(self), .int(dimension)], room: Swift.max(1, size(dimension)))
    }

    /// Joins tensors along an existing dimension.
    ///
    /// - Precondition: `tensors` is not empty.
    public static func concatenated(_ tensors: [Tensor], _ dimension: Int = 0) -> Tensor {
        precondition(!tensors.isEmpty, "no tensors to concatenate: check for an empty list first")
        return Ops.cat(.tensors(tensors), .int(dimension))
    }

    /// Joins tensors of the same shape along a new dimension.
    ///
    /// - Precondition: `tensors` is not empty.
    public static func stacked(_ tensors: [Tensor], _ dimension: Int = 0) -> Tensor {
        precondition(!tensors.isEmpty, "no tensors to stack: check for an empty list first")
        return Ops.stack(.tensors(tensors), .int(dimension))
    }

    /// Copies the slices along a dimension at the given indices.
    ///
    /// - Parameter indices: a one-dimensional tensor of integers.
    public func selected(_ dimension: Int, _ indices: Tensor) -> Tensor {
        Ops.indexSelect(.tensor(self), .int(dimension), .tensor(indices))
    }

    /// Picks one element per element of `indices` along a dimension.
    ///
    /// For dimension 1 of two dimensions, `result[i, j] = self[i, indices[i, j]]`.
    public func gathered(_ dimension: Int, _ indices: Tensor) -> Tensor {
        Ops.gather(.tensor(self), .int(dimension), .tensor(indices), .bool(false))
    }

    /// Resizes `[N, C, H, W]` to `[N, C, height, width]` by bicubic interpolation.
    ///
    /// The cubic coefficient is -0.75, or -0.5 with antialiasing. Corners are not aligned.
    ///
    /// - Parameter isAntialiased: whether the filter is widened when the image shrinks; false by
    ///   default.
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
