import ALBEFTraining
import Testing

@Suite("Settings that make no run")
struct ValidationTests {
    private func message(_ assignments: [String]) throws -> String? {
        var file = try SettingsFile(preset: "albef")
        for assignment in ["data.train=[a.json]", "model.vocabulary=v.txt"] + assignments {
            try file.apply(assignment: assignment)
        }
        do {
            _ = try file.configuration()
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test(
        "Numbers below their least are refused by key",
        arguments: [
            ("training.epochs", 1), ("training.batch_size", 2), ("training.accumulation", 1),
            ("training.log_steps", 1), ("training.checkpoint_steps", 1), ("data.workers", 0),
            ("data.lookahead", 1), ("data.cache_megabytes", 0), ("augmentation.operations", 0),
            ("optimizer.warmup_steps", 0), ("evaluation.steps", 0), ("evaluation.images", 0),
            ("evaluation.depth", 0),
        ])
    func counts(key: String, least: Int) throws {
        #expect(try message(["\(key)=\(least)"]) == nil)
        #expect(
            try message(["\(key)=\(least - 1)"])
                == "configuration: \(key) must be at least \(least), not \(least - 1)")
    }

    @Test(
        "Amounts must be numbers from 0 on",
        arguments: [
            "learning_rate", "minimum_learning_rate", "warmup_learning_rate", "weight_decay",
            "clip_norm",
        ])
    func amounts(key: String) throws {
        for (text, value) in [("-0.1", -0.1), (".inf", .infinity), (".nan", Double.nan)] {
            #expect(
                try message(["optimizer.\(key)=\(text)"])
                    == "configuration: optimizer.\(key) must be 0 or more, not \(value)")
        }
    }

    @Test(
        "Every other rule names its key",
        arguments: [
            (["augmentation.minimum_scale=0"], "augmentation.minimum_scale must be above 0"),
            (["augmentation.minimum_scale=1.1"], "augmentation.minimum_scale must be above 0"),
            (["augmentation.magnitude=11"], "augmentation.magnitude must be within 0...10, not 11"),
            (["data.train=[]"], "data.train names no annotations to learn from"),
            (["model.vocabulary="], "model.vocabulary is needed for a model that starts with"),
            (
                ["objectives.contrastive.weight=-1"],
                "objectives.contrastive.weight must be 0 or more, not -1.0"
            ),
            (["objectives.matching.weight=.nan"], "objectives.matching.weight must be 0 or more"),
            (
                ["objectives.masked_language.weight=.inf"],
                "objectives.masked_language.weight must be 0 or more"
            ),
            (
                [
                    "objectives.contrastive.weight=0", "objectives.matching.weight=0",
                    "objectives.masked_language.weight=0",
                ], "objectives are all left out; give one a weight above 0"
            ),
            (
                ["objectives.masked_language.probability=1.5"],
                "objectives.masked_language.probability must be within 0...1, not 1.5"
            ),
            (["objectives.teacher.momentum=2"], "objectives.teacher.momentum must be within 0...1"),
            (["objectives.teacher.alpha=-1"], "objectives.teacher.alpha must be within 0...1"),
            (["objectives.dropout=1"], "objectives.dropout must be at least 0 and below 1"),
            (["objectives.contrastive.queue=-1"], "objectives.contrastive.queue must be 0 or more"),
            (
                ["objectives.teacher.enabled=false"],
                "objectives.contrastive.queue holds the teacher's keys: it must be 0 where"
            ),
            (
                ["objectives.contrastive.temperature=0"],
                "objectives.contrastive.temperature and its bounds must be positive and in order"
            ),
            (
                ["objectives.contrastive.minimum_temperature=0.6"],
                "objectives.contrastive.temperature and its bounds must be positive and in order"
            ),
            (
                ["objectives.contrastive.weight=0"],
                "objectives.matching.negatives hard negatives are drawn by ITC's similarities"
            ),
            (["objectives.matching.shift=0"], "objectives.matching.shift must be at least 1"),
            (["model.fusion_depth=0"], "model.fusion_depth must be at least 1"),
        ])
    func rules(assignments: [String], expected: String) throws {
        let found = try #require(try message(assignments))
        #expect(found.hasPrefix("configuration: \(expected)"), "\(found)")
    }

    @Test("Two towers need no fusion layers")
    func towers() throws {
        var file = try SettingsFile(preset: "clip")
        for assignment in [
            "data.train=[a.json]", "model.vocabulary=v.txt", "model.fusion_depth=0",
        ] { try file.apply(assignment: assignment) }
        #expect(try file.configuration().model.fusionDepth == 0)
    }
}
