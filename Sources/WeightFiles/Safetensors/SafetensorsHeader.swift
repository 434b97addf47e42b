import OrderedCollections
import Storage
import SystemPackage
import Torch

/// The header of a safetensors file: the type, the shape and the position of each tensor.
struct SafetensorsHeader {
    struct Entry {
        let dtype: DType
        let shape: [Int]
        /// The position in bytes, counted from the end of the header.
        let range: Range<Int>
    }

    let entries: OrderedDictionary<String, Entry>
    let metadata: [String: String]

    /// The limit of the reference implementation, in bytes.
    static let maximumByteCount = 100_000_000

    static let names: [DType: String] = [
        .uint8: "U8", .int8: "I8", .int16: "I16", .int32: "I32", .int64: "I64",
        .float16: "F16", .float32: "F32", .float64: "F64", .bool: "BOOL", .bfloat16: "BF16",
    ]
    private static let types = Dictionary(uniqueKeysWithValues: names.map { ($1, $0) })

    /// Parses the JSON text and checks that the tensors fill exactly `dataByteCount` bytes.
    init(_ text: UnsafeRawBufferPointer, dataByteCount: Int, file: FilePath) throws {
        let json = try JSONValue(text, file: file, what: "the header")
        guard let members = json.object else {
            throw FileError(file, .malformed("the header is not a JSON object"))
        }
        var entries: OrderedDictionary<String, Entry> = [:]
        var metadata: [String: String] = [:]
        for member in members {
            if member.name == "__metadata__" {
                metadata = try SafetensorsHeader.metadata(member.value, file: file)
            } else {
                entries[member.name] = try SafetensorsHeader.entry(member, file: file)
            }
        }
        // In the order of positions, each tensor must start where the previous one ends.
        var end = 0
        for (name, entry) in entries.elements.sorted(by: {
            ($0.value.range.lowerBound, $0.value.range.upperBound)
                < ($1.value.range.lowerBound, $1.value.range.upperBound)
        }) {
            guard entry.range.lowerBound == end else {
                let problem = entry.range.lowerBound < end ? "overlaps" : "leaves a hole after"
                throw FileError(file, .tensor(name: name, problem: "\(problem) another tensor"))
            }
            end = entry.range.upperBound
        }
        guard end <= dataByteCount else {
            throw FileError(
                file, .truncated(what: "the data", needed: end, available: dataByteCount))
        }
        guard end == dataByteCount else {
            throw FileError(
                file, .malformed("\(dataByteCount - end) bytes follow the last tensor"))
        }
        self.entries = entries
        self.metadata = metadata
    }

    private static func metadata(_ value: JSONValue, file: FilePath) throws -> [String: String] {
        var result: [String: String] = [:]
        for member in value.object ?? [] { result[member.name] = member.value.string }
        guard let object = value.object, result.count == object.count else {
            throw FileError(file, .malformed("__metadata__ is not a JSON object of strings"))
        }
        return result
    }

    private static func entry(_ member: JSONValue.Member, file: FilePath) throws -> Entry {
        func fault(_ problem: String) -> FileError {
            FileError(file, .tensor(name: member.name, problem: problem))
        }
        guard let fields = member.value.object else {
            throw fault("is not described by a JSON object")
        }
        var (type, shape, offsets): (String?, [Int]?, [Int]?)
        for field in fields {
            let integers = field.value.array.flatMap { array -> [Int]? in
                let integers = array.compactMap(\.integer)
                return integers.count == array.count ? integers : nil
            }
            switch field.name {
            case "dtype": type = field.value.string
            case "shape": shape = integers
            case "data_offsets": offsets = integers
            default: throw fault("has the unknown field \"\(field.name)\"")
            }
        }
        guard let type else { throw fault("has no dtype") }
        guard let dtype = types[type] else { throw fault("has the unsupported type \(type)") }
        guard let shape, shape.count <= 64, let count = StoredTensor.elementCount(of: shape) else {
            throw fault("has no valid shape")
        }
        guard let offsets, offsets.count == 2, 0 <= offsets[0], offsets[0] <= offsets[1] else {
            throw fault("has no valid data_offsets")
        }
        let byteCount = count * dtype.byteCount
        guard offsets[1] - offsets[0] == byteCount else {
            throw fault(
                "has \(offsets[1] - offsets[0]) bytes, but \(type) \(shape) needs \(byteCount)")
        }
        return Entry(dtype: dtype, shape: shape, range: offsets[0]..<offsets[1])
    }
}
