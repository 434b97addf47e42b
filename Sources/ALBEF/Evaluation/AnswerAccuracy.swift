/// The accuracy of answers to questions, as VQAv2 measures it (Antol et al., "VQA: Visual Question
/// Answering", ICCV 2015).
///
/// An answer is right if at least three of the other people gave it: its accuracy is the mean of
/// min(1, n / 3) over the people, where n is the number of all others whose answer is the same. With
/// ten people, an answer that one, two, three or four of them gave counts 0.3, 0.6, 0.9 or 1.
public enum AnswerAccuracy {
    /// Returns the accuracy of an answer, from 0 to 1.
    ///
    /// The answer of a single person, as in Visual Genome, is right if it is the same.
    ///
    /// Answers are compared after ``AnswerNormalization``, except if all people gave the same one: they
    /// are then compared as they are, as in the official program's later form.
    ///
    /// - Parameters:
    ///   - answer: the answer of a model.
    ///   - people: the answers that people gave, usually ten; without any the accuracy is 0.
    /// - Complexity: O(*n*) in the number of people.
    public static func score(_ answer: String, people: [String]) -> Double {
        guard !people.isEmpty else { return 0 }
        let plain = people.map(AnswerNormalization.trimmed)
        let differ = Set(plain).count > 1
        let expected = differ ? plain.map { AnswerNormalization()($0) } : plain
        let trimmed = AnswerNormalization.trimmed(answer)
        let found = differ ? AnswerNormalization()(trimmed) : trimmed
        let same = expected.count { $0 == found }
        guard people.count > 1 else { return Double(same) }
        let sum = expected.reduce(0.0) { sum, one in
            sum + min(1, Double(one == found ? same - 1 : same) / 3)
        }
        return sum / Double(people.count)
    }

    /// Returns the mean accuracy of answers in percent; 0 without answers.
    public static func percent(_ answers: [(answer: String, people: [String])]) -> Double {
        guard !answers.isEmpty else { return 0 }
        let sum = answers.reduce(0) { $0 + score($1.answer, people: $1.people) }
        return 100 * sum / Double(answers.count)
    }
}
