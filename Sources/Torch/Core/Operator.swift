/// An argument of an operator.
public enum Argument: Sendable {
    /// An absent optional value.
    case none
    /// A tensor.
    case tensor(Tensor)
    /// An integer, or a real number where the operator expects one.
    case int(Int)
    /// A real number.
    case double(Double)
    /// A truth value.
    case bool(Bool)
    /// A list of integers: sizes, dimensions, strides.
    case ints([Int])
    /// A list of real numbers.
    case doubles([Double])
    /// A list of tensors.
    case tensors([Tensor])
    /// A list of tensors in which nil stands for `None`, for advanced indexing.
    case optionalTensors([Tensor?])
    /// The type of a tensor's elements.
    case dtype(DType)
    /// A device.
    case device(Device)
    /// A text.
    case string(String)
    /// A random number generator.
    case generator(Generator)

    /// Returns an argument for a tensor that may be absent.
    static func optional(_ tensor: Tensor?) -> Argument { tensor.map(Argument.tensor) ?? .none }
}

/// A result of an operator.
public enum Output: Sendable {
    /// No value.
    case none
    /// A tensor.
    case tensor(Tensor)
    /// An integer.
    case int(Int)
    /// A real number.
    case double(Double)
    /// A truth value.
    case bool(Bool)
}

extension Operator {
    /// Looks up an operator that every libtorch has; ends the process if it is missing.
    static func known(_ name: String, _ overload: String = "") -> Operator {
        do {
            return try Operator(name, overload: overload)
        } catch {
            fatalError("\(error)")
        }
    }

    /// Calls an operator and returns the tensors among its results.
    ///
    /// A wrong shape or type is a mistake of the caller and traps with libtorch's text.
    func tensors(_ arguments: [Argument], room: Int = 4) -> [Tensor] {
        outputs(arguments, room: room).compactMap { output in
            if case .tensor(let tensor) = output { tensor } else { nil }
        }
    }

    /// Calls an operator and returns its first tensor; traps as ``tensors(_:room:)`` does.
    func callAsFunction(_ arguments: Argument...) -> Tensor {
        guard let first = tensors(arguments).first else {
            fatalError("the operator returned no tensor")
        }
        return first
    }

    /// Calls an operator, and traps with libtorch's text if libtorch refuses the call.
    ///
    /// After a failure in ``recovering(_:)``, results have a shape but no elements.
    @discardableResult
    func outputs(_ arguments: [Argument], room: Int = 4) -> [Output] {
        do throws(TorchError) {
            return try call(arguments, room: room)
        } catch {
            guard RecoveryScope.absorbs(error) else { fatalError("\(error)") }
            do throws(TorchError) {
                return try shadows(arguments, room: room)
            } catch let mistake {
                fatalError("\(mistake)\nafter the failure: \(error)")
            }
        }
    }
}
