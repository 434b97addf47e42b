import ALBEF
import OrderedCollections
import SystemPackage
import TestSupport
import Testing
import Torch
import WeightFiles

@Suite("The momentum teacher")
struct MomentumTeacherTests {
    private func fill(_ model: ALBEFModel, with value: Double) {
        for parameter in model.parameters.values {
            parameter.value = Tensor.full(parameter.value.shape, value)
        }
    }

    @Test("Every twin moves by 1 - m of its distance")
    func average() throws {
        let student = try TinyObjective.model()
        let teacher = try MomentumTeacher(copying: student)
        let start = student.parameters.mapValues { $0.value.values() as [Double] }
        fill(student, with: 1)
        for turn in 1...3 {
            teacher.follow(momentum: 0.75)
            for (name, parameter) in teacher.model.parameters {
                let old = try #require(start[name])
                let left = MomentumTeacher.hasTwin(name) ? [1, 0.75, 0.5625, 0.421875][turn] : 1
                let values: [Double] = parameter.value.values()
                #expect(
                    zip(values, old).allSatisfy { abs($0 - (1 - (1 - $1) * left)) < 1e-6 },
                    "\(name)")
            }
        }
        #expect(student.parameters.values.allSatisfy { $0.value.min().scalar() == 1 })
    }

    @Test("The teacher is a copy: changes of neither model affect the other")
    func independence() throws {
        let student = try TinyObjective.model()
        let teacher = try MomentumTeacher(copying: student)
        let before = student.parameters.mapValues { $0.value.values() as [Float] }
        for parameter in student.parameters.values {
            parameter.value.copyInPlace(.full(parameter.value.shape, 9))
        }
        for (name, parameter) in teacher.model.parameters {
            #expect(parameter.value.values() == before[name], "\(name)")
        }
        teacher.follow(momentum: 1)
        #expect(
            teacher.model.parameters["vision_proj.weight"]?.value.values()
                == before["vision_proj.weight"])
        teacher.follow(momentum: 0)
        #expect(teacher.model.parameters["vision_proj.weight"]?.value.min().scalar() == 9)
        teacher.model.parameters["vision_proj.weight"]?.value.copyInPlace(.zeros([8, 16]))
        #expect(student.parameters["vision_proj.weight"]?.value.min().scalar() == 9)
    }

    @Test("The teacher records no gradients and gets none")
    func gradients() throws {
        let student = try TinyObjective.model()
        let objective = try TinyObjective.objective(
            student, ObjectiveConfiguration(contrastive: .init(queue: 4)))
        TinyObjective.recordGradients(of: student)
        let losses = try objective(try TinyObjective.batch(3), alpha: 0.4)
        try losses.total.backward()
        let teacher = try #require(objective.teacher)
        #expect(teacher.model.parameters.values.allSatisfy { !$0.value.requiresGrad })
        #expect(losses.features?.teacher?.images.requiresGrad == false)
        #expect(losses.maskedLanguage?.softLabels?.requiresGrad == false)
    }

    @Test("Twins have the original's names on disk; ITM head and temperature have no twin")
    func names() throws {
        let student = try TinyObjective.model()
        let names = try MomentumTeacher(copying: student).entries.map(\.name)
        let expected = student.parameters.keys.filter {
            $0 != "temp" && !$0.hasPrefix("itm_head.")
        }.map { name in
            let module = name.prefix { $0 != "." }
            return "\(module)_m\(name.dropFirst(module.count))"
        }
        #expect(names == expected && names.count == student.parameters.count - 3)
        #expect(
            Set(names).isSuperset(of: [
                "visual_encoder_m.cls_token", "vision_proj_m.weight", "text_proj_m.bias",
                "text_encoder_m.bert.embeddings.word_embeddings.weight",
                "text_encoder_m.bert.encoder.layer.1.crossattention.self.key.weight",
                "text_encoder_m.cls.predictions.bias",
            ]))
    }

    @Test("The teacher survives storage in a model directory")
    func storage() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let student = try TinyObjective.model()
            let teacher = try MomentumTeacher(copying: student)
            fill(student, with: 0.5)
            teacher.follow(momentum: 0.9)
            let words = Fixtures.tinyVocabulary
            let directory = try ModelDirectory.write(
                student.entries + teacher.entries, configuration: student.configuration,
                vocabulary: words, to: folder.appending("model"))
            let again = try ALBEFModel(directory, trainableOn: .cpu)
            let loaded = try MomentumTeacher(of: again, storedIn: directory)
            for (name, parameter) in teacher.model.parameters where MomentumTeacher.hasTwin(name) {
                let found = try #require(loaded.model.parameters[name]).value
                #expect(found.values() as [Float] == parameter.value.values(), "\(name)")
            }
            // Without twins in the directory, the teacher is a copy of the student.
            let plain = try ModelDirectory.write(
                student.entries, configuration: student.configuration, vocabulary: words,
                to: folder.appending("plain"))
            let copied = try MomentumTeacher(of: again, storedIn: plain)
            #expect(copied.model.parameters["text_proj.weight"]?.value.max().scalar() == 0.5)
        }
    }
}
