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
    /// A list of tensors with gaps, as advanced indexing takes it.
    case optionalTensors([Tensor?])
    /// A type of elements.
    case dtype(DType)
    /// A device.
    case device(Device)
    /// A text.
    case string(String)
    /// A random number generator.
    case generator(Generator)

    /// A tensor that may be absent.
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
    /// An operator that every libtorch has: a missing one is a mistake in this program.
    static func known(_ name: String, _ overload: String = "") -> Operator {
        do {
            return try Operator(name, overload: overload)
        } catch {
            fatalError("\(error)")
        }
    }

    /// Calls an operator that returns tensors, trapping with libtorch's text where it refuses:
    /// wrong shapes and types are mistakes of the caller.
    func tensors(_ arguments: [Argument], room: Int = 4) -> [Tensor] {
        outputs(arguments, room: room).compactMap { output in
            if case .tensor(let tensor) = output { tensor } else { nil }
        }
    }

    /// Calls an operator that returns one tensor; traps as ``tensors(_:room:)`` does.
    func callAsFunction(_ arguments: Argument...) -> Tensor {
        guard let first = tensors(arguments).first else {
            fatalError("an operator returned no tensor")
        }
        return first
    }

    /// Calls an operator, trapping with libtorch's text where it refuses.
    ///
    /// In a ``recovering(_:)`` that has failed, results have a shape and no elements.
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
