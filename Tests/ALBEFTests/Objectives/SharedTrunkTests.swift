import ALBEF
import OrderedCollections
import RetrievalTesting
import TestSupport
import Testing
import Torch
import WeightFiles

@Suite("A trunk that student and teacher share")
struct SharedTrunkTests {
    private static let prefix = "visual_encoder.trunk."

    private func student() throws -> ALBEFModel {
        var configuration = TinyObjective.configuration
        configuration.vision = .init(
            trunk: TinyModel.trunk, imageSize: 32, width: 16, heads: 2)
        let model = try ALBEFModel(
            configuration, parameters: RandomParameters(generator: Generator(seed: 1)))
        for (name, parameter) in model.parameters where !name.hasPrefix(Self.prefix) {
            parameter.value = parameter.value.requiringGrad()
        }
        return model
    }

    private func objective(
        _ student: ALBEFModel, _ teacher: MomentumTeacher
    ) throws -> PretrainingObjective {
        let settings = ObjectiveConfiguration(contrastive: .init(queue: 8))
        return try PretrainingObjective(
            student: student, teacher: teacher,
            queues: ContrastiveQueues(
                width: 8, length: 8, generator: Generator(seed: 4), device: .cpu),
            configuration: settings, masking: TinyObjective.masking,
            choices: GeneratedChoices(generator: Generator(seed: 3)),
            dropout: Dropout(0.1, generator: Generator(seed: 5)))
    }

    /// The losses and the teacher's features of three steps.
    private func steps(_ objective: PretrainingObjective) throws -> [[Float]] {
        try (0..<3).flatMap { turn -> [[Float]] in
            let batch = try TinyObjective.batch(3, seed: 20 + UInt64(turn))
            let losses = try objective(batch, alpha: 0.4)
            try losses.total.backward()
            for parameter in objective.student.parameters.values {
                guard let gradient = parameter.value.grad else { continue }
                parameter.value = (parameter.value.detached() - gradient * 0.1).requiringGrad()
            }
            let features = try #require(losses.features?.teacher)
            return [losses.total, features.images, features.texts].map { $0.flattened().values() }
        }
    }

    @Test("A shared trunk runs once, with the same losses, bit for bit, as two")
    func losses() throws {
        let names = Set(try student().parameters.keys.filter { $0.hasPrefix(Self.prefix) })
        let shared = try student()
        let teacher = try MomentumTeacher(copying: shared, still: names)
        #expect(teacher.sharesTrunk)
        // This detects a trunk that runs a second time.
        for name in names {
            let twin = try #require(teacher.model.parameters[name])
            twin.value = .full(twin.value.shape, .nan)
        }
        // A single parameter with a twin of its own ends the sharing.
        let apart = try student()
        let other = try MomentumTeacher(
            copying: apart, still: names.subtracting(["\(Self.prefix)conv_stem.bias"]))
        #expect(!other.sharesTrunk)
        let found = try steps(objective(shared, teacher))
        #expect(found == (try steps(objective(apart, other))))
        #expect(found.joined().allSatisfy { $0.isFinite })
        #expect(found[0] != found[3])
        for name in names {
            #expect(
                shared.parameters[name]?.value.values()
                    == apart.parameters[name]?.value.values(as: Float.self))
        }
    }

    @Test("A model without a trunk shares none")
    func without() throws {
        let model = try TinyObjective.model()
        let teacher = try MomentumTeacher(copying: model, still: Set(model.parameters.keys))
        #expect(!teacher.sharesTrunk)
    }

    @Test("The twins of a shared trunk have their own names on disk")
    func names() throws {
        let names = try MomentumTeacher(copying: student()).entries.map(\.name)
        #expect(names.contains("visual_encoder_m.trunk.blocks.1.0.se.conv_reduce.weight"))
    }
}
