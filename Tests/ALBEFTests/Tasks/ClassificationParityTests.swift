import ALBEF
import OrderedCollections
import TestSupport
import Testing
import Torch

@Suite("Classification, as the Python implementations fine-tune for it")
struct ClassificationParityTests {
    @Test("A step of visual entailment")
    func entailment() throws {
        let golden = try GoldenSet("lavis-entailment")
        let (student, teacher) = try golden.studentAndTeacher(.entailment)
        let objective = try ClassificationObjective(
            student: student, teacher: teacher, dropout: nil)
        let batch = ClassificationBatch(
            pixels: [try golden.input("image")], ids: try golden.input("input_ids"),
            mask: try golden.input("attention_mask"), labels: try golden.input("label"))
        let outcome = try objective(batch, alpha: try #require(golden.scalars["alpha"]))
        try golden.expect(outcome.logits, equals: "logits")
        try golden.expect(try #require(outcome.teacherLogits), equals: "logits_m")
        golden.expect(outcome.loss.scalar(), equalsScalar: "loss")
        try outcome.loss.backward()
        try golden.expectGradients(of: student)

        let tokens = try student.encodeTokens(batch.pixels[0])
        try golden.expect(tokens, equals: "image_embeds")
        try golden.expect(
            try student.fused(batch.ids, mask: batch.mask, images: [tokens]),
            equals: "last_hidden")
        let taught = try teacher.model.encodeTokens(batch.pixels[0])
        try golden.expect(
            try teacher.model.fused(batch.ids, mask: batch.mask, images: [taught]),
            equals: "last_hidden_m")
    }

    @Test("A step of NLVR2, with the teacher of either implementation")
    func nlvr() throws {
        let golden = try GoldenSet("lavis-nlvr")
        let (student, teacher) = try golden.studentAndTeacher(.nlvr)
        let batch = ClassificationBatch(
            pixels: [try golden.input("image0"), try golden.input("image1")],
            ids: try golden.input("input_ids"), mask: try golden.input("attention_mask"),
            labels: try golden.input("label"))
        let images = try batch.pixels.map { try student.encodeTokens($0) }
        try golden.expect(Tensor.stacked(images), equals: "image_embeds")
        try golden.expect(
            try student.classLogits(batch.ids, mask: batch.mask, images: images),
            equals: "predictions")
        try golden.expect(
            try student.fused(batch.ids, mask: batch.mask, images: images), equals: "last_hidden")

        let objective = try ClassificationObjective(
            student: student, teacher: teacher, dropout: nil)
        let alpha = try #require(golden.scalars["alpha"])
        let outcome = try objective(batch, alpha: alpha)
        try golden.expect(
            try #require(outcome.teacherLogits), equals: "prediction_m_original_repo")
        golden.expect(outcome.loss.scalar(), equalsScalar: "loss_original_repo")

        // LAVIS's teacher reads with the student's text encoder, which is a mistake.
        let seen = try batch.pixels.map { try teacher.model.encodeTokens($0) }
        try golden.expect(Tensor.stacked(seen), equals: "image_embeds_m")
        let read = try student.fused(batch.ids, mask: batch.mask, images: seen)
        let head = try #require(teacher.model.classification)
        let mistaken = head(read).detached()
        try golden.expect(mistaken, equals: "prediction_m_lavis")
        let loss = objective.loss(
            outcome.logits, labels: batch.labels, teacher: mistaken, alpha: alpha)
        golden.expect(loss.scalar(), equalsScalar: "loss_lavis")
        try loss.backward()
        try golden.expectGradients(of: student)
    }
}

@Suite("Objectives of classification")
struct ClassificationObjectiveTests {
    private func model(_ task: ALBEFConfiguration.Task) throws -> ALBEFModel {
        var configuration = TinyObjective.configuration
        configuration.task = task
        configuration.text.depth = 3
        return try ALBEFModel(
            configuration, parameters: RandomParameters(generator: Generator(seed: 1)))
    }

    private func batch(images: Int, labels: [Int]) throws -> ClassificationBatch {
        let pairs = try TinyObjective.batch(labels.count)
        let pixels = try (0..<images).map { _ in try #require(pairs.pixels) }
        return ClassificationBatch(
            pixels: pixels, ids: pairs.ids, mask: pairs.mask, labels: Tensor(labels))
    }

    @Test(
        "The loss falls when the step is repeated",
        arguments: [(ALBEFConfiguration.Task.entailment, 1), (.nlvr, 2)])
    func learns(_ task: ALBEFConfiguration.Task, _ images: Int) throws {
        let student = try model(task)
        let objective = try ClassificationObjective(
            student: student, teacher: MomentumTeacher(copying: student), dropout: nil)
        let batch = try batch(images: images, labels: [0, 1, 1, 0, 1, 0])
        let optimizer = AdamW(
            [AdamW.Group(student.parameters.map(\.value), weightDecay: 0)], learningRate: 3e-3)
        var steps: [TrainingLosses] = []
        for _ in 0..<30 {
            optimizer.clearGradients()
            let losses = try objective.losses(of: batch, alpha: 0)
            try losses.total.backward()
            try optimizer.step()
            steps.append(losses)
        }
        #expect(steps[29].total.scalar() < 0.3 * steps[0].total.scalar())
        #expect(steps[29].accuracy == 1 && steps[0].parts.keys == ["classification"])
        // The teacher has followed the head, too.
        let teacher = try #require(objective.teacher)
        #expect(teacher.moves == 30)
        let start = try model(task).parameters["cls_head.2.weight"]
        #expect(
            try #require(teacher.model.parameters["cls_head.2.weight"]).value.values(as: Float.self)
                != start?.value.values())
    }

    @Test("The faithful teacher of NLVR2 starts with other weights than its student")
    func untrainedTeacher() throws {
        let student = try model(.nlvr)
        let teacher = try MomentumTeacher(
            untrainedFor: student, generator: Generator(seed: 9))
        let name = "text_encoder.bert.encoder.layer.1.attention.self.query.weight"
        let distance =
            try #require(teacher.model.parameters[name]).value
            - (try #require(student.parameters[name])).value
        #expect(distance.abs().max().scalar() > 0.01)
        #expect(Set(teacher.model.parameters.keys) == Set(student.parameters.keys))
    }

    @Test("Batches that do not fit are refused")
    func refused() throws {
        let objective = try ClassificationObjective(
            student: model(.nlvr), teacher: nil, dropout: nil)
        func message(_ batch: ClassificationBatch) -> String {
            failure { _ = try objective(batch, alpha: 0) }
        }
        #expect(
            message(try batch(images: 1, labels: [0, 1])).contains("reads 2 images per text, not 1")
        )
        var short = try batch(images: 2, labels: [0, 1])
        short.labels = Tensor([0])
        #expect(message(short).contains("labels have the shape [1]"))
        short.pixels = []
        #expect(message(short).contains("pixels have the shape [0]"))
        let other = try TinyObjective.model()
        #expect(
            failure { _ = try ClassificationObjective(student: other, teacher: nil, dropout: nil) }
                .contains("has no 'cls_head'"))
    }

    @Test("Pretraining is driven by the same protocol")
    func pretraining() throws {
        func names<Objective: TrainingObjective>(
            _ objective: Objective, _ batch: Objective.Batch
        ) throws -> [String] {
            let losses = try objective.losses(of: batch, alpha: 0.4)
            let sum = losses.parts.values.reduce(0.0) { $0 + $1.scalar() }
            #expect(abs(sum - losses.total.scalar()) < 1e-4)
            #expect(losses.accuracy != nil)
            return Array(losses.parts.keys)
        }
        let objective = try TinyObjective.objective(
            TinyObjective.model(), ObjectiveConfiguration(contrastive: .init(queue: 8)))
        #expect(try names(objective, TinyObjective.batch(4)) == ["itc", "itm", "mlm"])
    }
}
