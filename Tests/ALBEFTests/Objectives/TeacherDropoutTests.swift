import ALBEF
import Testing
import Torch

@Suite("Dropout of the teacher")
struct TeacherDropoutTests {
    /// The outcomes of one batch, read twice by a teacher that does not move.
    private func twice(
        isFaithful: Bool, dropout: Double
    ) throws -> (first: PretrainingLosses, second: PretrainingLosses) {
        let batch = try TinyObjective.batch(4)
        let hidden = TinyObjective.masking(batch.ids, generator: try Generator(seed: 4))
        #expect(hidden.positions.count > 0)
        let objective = try TinyObjective.objective(
            TinyObjective.model(),
            ObjectiveConfiguration(
                contrastive: .init(queue: 0), teacher: .init(momentum: 1), dropout: dropout,
                isFaithful: isFaithful),
            choices: WatchedChoices(hidden: hidden))
        return (try objective(batch, alpha: 0.4), try objective(batch, alpha: 0.4))
    }

    private func isSame(_ a: Tensor?, _ b: Tensor?) throws -> Bool {
        try #require(a).values() as [Float] == #require(b).values()
    }

    @Test("A faithful teacher uses dropout: its features and predictions vary")
    func faithful() throws {
        let (first, second) = try twice(isFaithful: true, dropout: 0.3)
        #expect(
            try !isSame(first.features?.teacher?.texts, second.features?.teacher?.texts))
        #expect(
            try !isSame(first.maskedLanguage?.softLabels, second.maskedLanguage?.softLabels))
        // The image encoder has no dropout.
        #expect(
            try isSame(first.features?.teacher?.images, second.features?.teacher?.images))
    }

    @Test("By default only the student uses dropout")
    func normal() throws {
        let (first, second) = try twice(isFaithful: false, dropout: 0.3)
        #expect(try isSame(first.features?.teacher?.texts, second.features?.teacher?.texts))
        #expect(try isSame(first.maskedLanguage?.softLabels, second.maskedLanguage?.softLabels))
        #expect(try !isSame(first.features?.student.texts, second.features?.student.texts))
        #expect(first.total.scalar() != second.total.scalar())
    }

    @Test("Without dropout only the negatives vary", arguments: [true, false])
    func noDropout(isFaithful: Bool) throws {
        let (first, second) = try twice(isFaithful: isFaithful, dropout: 0)
        #expect(try isSame(first.features?.teacher?.texts, second.features?.teacher?.texts))
        #expect(try isSame(first.features?.student.texts, second.features?.student.texts))
        #expect(try isSame(first.contrastive?.loss, second.contrastive?.loss))
        #expect(try isSame(first.maskedLanguage?.loss, second.maskedLanguage?.loss))
    }
}
