import Torch

/// A class, function or type that a pickle may name.
///
/// Each is implemented in this module. Nothing is ever looked up by name, imported or run.
enum PickleGlobal: Sendable, Hashable, CustomStringConvertible {
    /// `collections.OrderedDict`, called without arguments or with a list of pairs.
    case orderedDictionary
    /// `torch._utils._rebuild_tensor_v2`.
    case rebuildTensor
    /// `torch._utils._rebuild_tensor_v3`, for types that have no storage class.
    case rebuildTypedTensor
    /// `torch._utils._rebuild_parameter`.
    case rebuildParameter
    /// `torch.Size`, a tuple.
    case size
    /// `torch.device`.
    case device
    /// A storage class such as `torch.FloatStorage`; nil if only the tensor names the type.
    case storage(DType?)
    /// A type such as `torch.float32`.
    case dtype(DType)
    /// Any other harmless class; the reader skips its objects.
    case foreign(String)

    /// The name in Python.
    var description: String {
        switch self {
        case .orderedDictionary: "collections.OrderedDict"
        case .rebuildTensor: "torch._utils._rebuild_tensor_v2"
        case .rebuildTypedTensor: "torch._utils._rebuild_tensor_v3"
        case .rebuildParameter: "torch._utils._rebuild_parameter"
        case .size: "torch.Size"
        case .device: "torch.device"
        case .storage: "a torch storage"
        case .dtype(let dtype): "torch.\(dtype)"
        case .foreign(let name): name
        }
    }

    init?(module: String, name: String) {
        switch (module, name) {
        case ("collections", "OrderedDict"): self = .orderedDictionary
        case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensor
        case ("torch._utils", "_rebuild_tensor_v3"): self = .rebuildTypedTensor
        case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
        case ("torch", "Size"): self = .size
        case ("torch", "device"): self = .device
        case ("torch.storage", "UntypedStorage"), ("torch", "UntypedStorage"): self = .storage(nil)
        case ("torch", let name):
            if let dtype = PickleGlobal.storages[name] {
                self = .storage(dtype)
            } else if let dtype = PickleGlobal.types[name] {
                self = .dtype(dtype)
            } else {
                return nil
            }
        default:
            guard ForeignClass.isHarmless(module: module, name: name) else { return nil }
            self = .foreign("\(module).\(name)")
        }
    }

    private static let storages: [String: DType] = [
        "ByteStorage": .uint8, "CharStorage": .int8, "ShortStorage": .int16, "IntStorage": .int32,
        "LongStorage": .int64, "HalfStorage": .float16, "FloatStorage": .float32,
        "DoubleStorage": .float64, "BoolStorage": .bool, "BFloat16Storage": .bfloat16,
    ]

    private static let types: [String: DType] = [
        "uint8": .uint8, "int8": .int8, "int16": .int16, "int32": .int32, "int64": .int64,
        "float16": .float16, "float32": .float32, "float64": .float64, "bool": .bool,
        "bfloat16": .bfloat16,
    ]
}
