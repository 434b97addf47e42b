/// The systems that the ablation compares: each is the preset `wardrobe` with some objectives left
/// out.
///
/// From ``singleTower`` to ``albef`` they are the steps of the paper's own ablation (table 1).
public enum WardrobeSystem: String, Sendable, Hashable, CaseIterable {
    /// Two towers, the negatives of the batch.
    case clip
    /// Two towers, momentum keys and queues (BriVL).
    case wenlan
    /// Fusion alone: MLM and ITM with shifted negatives.
    case singleTower = "single-tower"
    /// Align before fuse: the same with ITC, and so with recall.
    case aligned = "aligned"
    /// With hard negatives that ITC finds.
    case hardNegatives = "hard-negatives"
    /// With the teacher's soft labels: all of ALBEF.
    case albef

    /// What tables call it.
    public var title: String {
        switch self {
        case .clip: "CLIP"
        case .wenlan: "WenLan (BriVL)"
        case .singleTower: "single tower: MLM + ITM, shifted negatives"
        case .aligned: "+ ITC"
        case .hardNegatives: "+ hard negatives"
        case .albef: "+ distillation: ALBEF"
        }
    }

    /// What differs from the preset.
    var assignments: [String] {
        let noFusion = ["objectives.matching.weight=0", "objectives.masked_language.weight=0"]
        let noTeacher = ["objectives.teacher.enabled=false", "objectives.contrastive.queue=0"]
        let noDistillation = ["objectives.teacher.alpha=0"]
        let shifted = ["objectives.matching.negatives=shifted"]
        return switch self {
        case .clip: noFusion + noTeacher + noDistillation
        case .wenlan: noFusion + noDistillation + ["objectives.contrastive.queue=384"]
        case .singleTower:
            noTeacher + noDistillation + shifted + ["objectives.contrastive.weight=0"]
        case .aligned: noDistillation + shifted
        case .hardNegatives: noDistillation
        case .albef: []
        }
    }

    /// The orders that are judged.
    public var stages: [WardrobeStage] {
        switch self {
        case .clip, .wenlan: [.towers]
        case .singleTower: [.exhaustive]
        default: [.towers, .reranked(16), .reranked(32), .reranked(64), .reranked(128)]
        }
    }
}
