import ALBEF
import Foundation
import OrderedCollections
import TestSupport
import Testing
import Torch
import WeightFiles

extension GoldenSet {
    /// Expects the gradient of every parameter for which the reference gives one, and at least one.
    func expectGradients(
        of student: ALBEFModel, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let names = file.tensors.names.filter { $0.hasPrefix("outputs/grad/") }
            .map { String($0.dropFirst("outputs/grad/".count)) }
        #expect(names.count > 20, sourceLocation: sourceLocation)
        for name in names {
            let parameter = try #require(student.parameters[name], "\(name)")
            try expect(
                try #require(parameter.value.grad, "\(name)"), equals: "grad/\(name)",
                sourceLocation: sourceLocation)
        }
    }

    /// A model whose parameters record gradients, and its teacher.
    func studentAndTeacher(
        _ task: ALBEFConfiguration.Task
    ) throws -> (student: ALBEFModel, teacher: MomentumTeacher) {
        let student = try model(.lavis, task)
        TinyObjective.recordGradients(of: student)
        return (student, try MomentumTeacher(of: student, from: weights(twins: true)))
    }

    /// A fact that the metadata holds as JSON.
    func fact<Value: Decodable>(_ key: String, as type: Value.Type = Value.self) throws -> Value {
        try JSONDecoder().decode(type, from: Data(file.metadata[key, default: ""].utf8))
    }
}
