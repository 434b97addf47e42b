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
        "Whole numbers out of their bounds are refused by key",
        arguments: [
            ("training.epochs", 1, 1_000_000), ("training.batch_size", 2, 1_000_000),
            ("training.accumulation", 1, 1_000_000), ("training.log_steps", 1, 1_000_000_000),
            ("training.checkpoint_steps", 1, 1_000_000_000), ("data.workers", 0, 1_024),
            ("data.lookahead", 1, 1_024), ("data.cache_megabytes", 0, 1_000_000_000),
            ("data.group", 1, 1_000_000), ("augmentation.operations", 0, 100),
            ("augmentation.magnitude", 0, 10), ("optimizer.warmup_steps", 0, 1_000_000_000),
            ("evaluation.steps", 0, 1_000_000_000), ("evaluation.images", 0, 1_000_000_000),
            ("evaluation.depth", 0, 1_000_000), ("model.image_width", 1, 65_536),
            ("model.image_size", 1, 16_384), ("model.text_depth", 0, 1_024),
            ("model.fusion_depth", 1, 1_024), ("model.positions", 1, 1_000_000),
        ])
    func counts(key: String, least: Int, most: Int) throws {
        #expect(try message(["\(key)=\(least)"]) == nil)
        #expect(try message(["\(key)=\(most)"]) == nil)
        #expect(
            try message(["\(key)=\(least - 1)"])
                == "configuration: \(key) must be at least \(least), not \(least - 1)")
        for more in [most + 1, Int.max] {
            #expect(
                try message(["\(key)=\(more)"])
                    == "configuration: \(key) must be at most \(most), not \(more)")
        }
    }

    @Test(
        "Amounts must be numbers within their bounds",
        arguments: [
            ("learning_rate", 1e3), ("minimum_learning_rate", 1e3), ("warmup_learning_rate", 1e3),
            ("weight_decay", 1e3), ("clip_norm", 1e9),
        ])
    func amounts(key: String, most: Double) throws {
        for (text, value) in [("-0.1", -0.1), (".nan", Double.nan)] {
            #expect(
                try message(["optimizer.\(key)=\(text)"])
                    == "configuration: optimizer.\(key) must be at least 0.0, not \(value)")
        }
        for (text, value) in [(".inf", Double.infinity), ("1e300", 1e300)] {
            #expect(
                try message(["optimizer.\(key)=\(text)"])
                    == "configuration: optimizer.\(key) must be at most \(most), not \(value)")
        }
    }

    @Test(
        "Every other rule names its key",
        arguments: [
            (["augmentation.minimum_scale=0"], "augmentation.minimum_scale must be above 0"),
            (["augmentation.minimum_scale=1.1"], "augmentation.minimum_scale must be above 0"),
            (
                ["objectives.contrastive.queue=9223372036854775807"],
                "objectives.contrastive.queue must be at most"
            ),
            (
                ["objectives.contrastive.maximum_temperature=.inf"],
                "objectives.contrastive.maximum_temperature must be at most"
            ),
            (
                ["objectives.matching.easy_epochs=.inf"],
                "objectives.matching.easy_epochs must be at most"
            ),
            (
                ["objectives.teacher.ramp_epochs=1e300"],
                "objectives.teacher.ramp_epochs must be at most"
            ),
            (["data.train=[]"], "data.train names no annotation file"),
            (["model.vocabulary="], "model.vocabulary is required for a model that starts with"),
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
                ], "objectives all have weight 0; give one a weight above 0"
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
                "objectives.contrastive.queue must be 0 if teacher.enabled is false"
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
                "objectives.matching.negatives is hard, which needs ITC's similarities"
            ),
            (["objectives.matching.shift=0"], "objectives.matching.shift must be at least 1"),
            (["model.fusion_depth=0"], "model.fusion_depth must be at least 1"),
        ])
    func rules(assignments: [String], expected: String) throws {
        let found = try #require(try message(assignments))
        #expect(found.hasPrefix("configuration: \(expected)"), "\(found)")
    }

    @Test(
        "Factors of the learning rate are above 0 and finite, and name their key",
        arguments: ["rates.image", "rates.text", "rates.fusion", "rates.heads", "new_parts_rate"])
    func factors(key: String) throws {
        let start = "model.start=m"
        for good in ["1000", "1e-6", "0.1", "1"] {
            #expect(try message([start, "optimizer.\(key)=\(good)"]) == nil)
        }
        for bad in ["-0.1", ".nan", ".inf", "1001", "1e-400"] {
            let found = try #require(try message([start, "optimizer.\(key)=\(bad)"]))
            #expect(
                found.hasPrefix(
                    "configuration: optimizer.\(key) must be above 0 and at most 1000.0, not "),
                "\(found)")
        }
        #expect(
            try message([start, "optimizer.\(key)=0"])?.hasSuffix(
                "not 0.0; use optimizer.frozen to keep parts unchanged") == true)
    }

    @Test(
        "What tells parts apart is checked without a model as far as it can be",
        arguments: [
            (["optimizer.layer_decay=0"], "layer_decay must be above 0 and at most 1, not 0.0"),
            (["optimizer.layer_decay=1.1"], "layer_decay must be above 0 and at most 1, not 1.1"),
            (["optimizer.layer_decay=.nan"], "layer_decay must be above 0 and at most 1, not nan"),
            (["optimizer.new_parts_rate=10"], "new_parts_rate needs model.start: all parts"),
            (["optimizer.frozen=['']"], "frozen contains an empty name"),
            (["optimizer.frozen=[image, text, image]"], "frozen names 'image' twice; name it once"),
        ])
    func parts(assignments: [String], expected: String) throws {
        let found = try #require(try message(assignments))
        #expect(found.hasPrefix("configuration: optimizer.\(expected)"), "\(found)")
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
