import ALBEF
import Foundation
import SystemPackage
import TestSupport
import Testing
import Torch
import WeightFiles

/// A folder written by a Python library, with the results of its own class.
struct TowerFixture {
    /// The folder.
    let path: FilePath
    private let file: SafetensorsFile
    private let errors: [String: Double]

    init(_ name: String, expected: String = "expected") throws {
        path = name.isEmpty ? Fixtures.path("towers") : Fixtures.path("towers/\(name)")
        file = try SafetensorsFile(path.appending("\(expected).safetensors"))
        errors = try JSONDecoder().decode(
            [String: Double].self, from: Data(file.metadata["f32_err", default: ""].utf8))
    }

    var metadata: [String: String] { file.metadata }

    func input(_ name: String) throws -> Tensor { try Tensor(file.tensor("inputs/\(name)")) }

    func has(_ name: String) -> Bool { file.tensors["outputs/\(name)"] != nil }

    func output(_ name: String) throws -> Tensor { try Tensor(file.tensor("outputs/\(name)")) }

    /// Expects a tensor to be within 20 times Python's own single-precision error, plus 1e-6.
    func expect(
        _ tensor: Tensor, equals name: String, where rows: Tensor? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let wanted = try output(name)
        #expect(tensor.shape == wanted.shape, "\(name)", sourceLocation: sourceLocation)
        guard tensor.shape == wanted.shape else { return }
        var difference = (tensor - wanted).abs()
        if let rows { difference = difference * rows }
        let bound = 20 * errors[name, default: 0] + 1e-6
        let found = difference.max().scalar()
        #expect(found <= bound, "\(name): \(found) > \(bound)", sourceLocation: sourceLocation)
    }
}
