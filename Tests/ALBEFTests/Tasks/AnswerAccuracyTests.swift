import ALBEF
import Testing

@Suite("The accuracy of answers")
struct AnswerAccuracyTests {
    @Test(
        "Normal forms",
        arguments: [
            ("Yes.", "yes"), ("The  dog", "dog"), ("a red, blue bus", "red blue bus"),
            ("black-white", "black white"), ("black - white", "black white"), ("1,000", "1000"),
            ("3.5", "3.5"), ("st. paul", "st paul"), ("Two", "2"), ("none", "0"),
            ("ten or eleven", "10 or eleven"), ("dont", "don't"), ("don't", "don't"),
            ("couldn'tve", "couldn't've"), ("couldnt've", "couldn't've"), ("its", "its"),
            ("10:30", "10:30"), ("girl's", "girl's"), ("what?!", "what"),
            ("yes/no", "yes no"), ("  line\nfeed\t", "line feed"), ("", ""), ("the", ""),
            ("(left)", "left"), ("a\"b", "b"),
        ])
    func normalForms(_ text: String, _ expected: String) {
        #expect(AnswerNormalization()(text) == expected)
    }

    @Test(
        "How many of ten people agree", arguments: [(0, 0), (1, 0.3), (2, 0.6), (3, 0.9), (4, 1.0)])
    func agreement(_ count: Int, _ expected: Double) {
        let people = (0..<10).map { $0 < count ? "two" : "other \($0)" }
        #expect(abs(AnswerAccuracy.score("2", people: people) - expected) < 1e-12)
    }

    @Test("Answers of which all are equal are compared as they are")
    func unanimous() {
        let people = [String](repeating: "two", count: 10)
        #expect(AnswerAccuracy.score("two ", people: people) == 1)
        #expect(AnswerAccuracy.score("2", people: people) == 0)
    }

    @Test("The mean is in percent")
    func mean() {
        let people = (0..<10).map { $0 < 1 ? "red" : "colour \($0)" }
        #expect(
            abs(AnswerAccuracy.percent([("red", people), ("blue", people)]) - 15) < 1e-9)
        #expect(AnswerAccuracy.percent([]) == 0)
        #expect(AnswerAccuracy.score("red", people: []) == 0)
    }
}
