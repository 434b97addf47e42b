import ALBEF
import Foundation
import Retrieval
import Testing

@Suite("Probability of a match without something")
struct MatchWithoutTests {
    private static let calibrations = [
        MatchCalibration(), MatchCalibration(temperature: 2.5, bias: -1.5),
        MatchCalibration(temperature: 0.4, bias: 3),
    ]

    private func logits(_ logOdds: Double) -> MatchLogits {
        MatchLogits(mismatch: Float(0.3 - logOdds / 2), match: Float(0.3 + logOdds / 2))
    }

    @Test("It is the product of the probabilities", arguments: calibrations)
    func product(_ calibration: MatchCalibration) {
        for sentence in stride(from: -9.0, through: 9, by: 1.5) {
            for other in stride(from: -9.0, through: 9, by: 1.5) {
                for more in [-30.0, 0, 4] {
                    let texts = [logits(other), logits(more)]
                    let lowered = calibration.logits(
                        logits(sentence), lessProbableBy: calibration.logOfNoMatch(texts))
                    let expected =
                        calibration(logits(sentence)) * (1 - calibration(texts[0]))
                        * (1 - calibration(texts[1]))
                    #expect(abs(calibration(lowered) - expected) < 1e-5 + 1e-4 * expected)
                    #expect(abs(lowered.match + lowered.mismatch - 0.6) < 1e-4)
                }
            }
        }
    }

    @Test("Without anything to leave out the logits stay as they are, bit for bit")
    func nothing() {
        for logOdds in [-40.0, -0.1, 0, 3, 40] {
            let own = logits(logOdds)
            #expect(MatchCalibration().logits(own, lessProbableBy: 0) == own)
        }
    }

    @Test("Scores that round to one are still told apart, and all stay finite")
    func extremes() {
        let calibration = MatchCalibration()
        // Both match surely; the second is surely what is to be left out.
        let clean = calibration.logits(
            logits(20), lessProbableBy: calibration.logOfNoMatch([logits(-20)]))
        let better = calibration.logits(
            logits(24), lessProbableBy: calibration.logOfNoMatch([logits(-20)]))
        let spoiled = calibration.logits(
            logits(60), lessProbableBy: calibration.logOfNoMatch([logits(20)]))
        #expect(better.logOdds > clean.logOdds)
        #expect(clean.logOdds > spoiled.logOdds + 30)
        for own in [-3e4, -800, 0, 800, 3e4] {
            for other in [-3e4, -800, 0, 800, 3e4] {
                let lowered = calibration.logits(
                    logits(own), lessProbableBy: calibration.logOfNoMatch([logits(other)]))
                #expect(lowered.match.isFinite && lowered.mismatch.isFinite)
                #expect(lowered.logOdds <= logits(own).logOdds + 1e-2)
            }
        }
    }

    @Test("More to leave out never makes a candidate more probable", arguments: calibrations)
    func monotone(_ calibration: MatchCalibration) {
        for sentence in stride(from: -12.0, through: 12, by: 2) {
            var last = Double.infinity
            for other in stride(from: -12.0, through: 12, by: 0.5) {
                let lowered = calibration.logits(
                    logits(sentence),
                    lessProbableBy: calibration.logOfNoMatch([logits(other)])
                ).logOdds
                #expect(lowered <= last + 1e-4)
                last = lowered
            }
        }
    }

    @Test("Who stands out from the middle is improbable not to match; who does not, probable")
    func standing() {
        let logs = MatchCalibration(temperature: 2, bias: -9).standing([-8, -9, -7, -1, -20])
        #expect(
            zip(logs, [-8.0, -9, -7, -1, -20]).allSatisfy { log, own in
                abs(exp(log) - 1 / (1 + exp((own + 8) / 2))) < 1e-9
            })
        #expect(MatchCalibration().standing([]).isEmpty)
        #expect(MatchCalibration().standing([3]) == [-log(2)])
    }
}
