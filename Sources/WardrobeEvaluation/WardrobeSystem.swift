public import Wardrobe

/// The systems of the ablation: each is the preset `wardrobe` with some objectives turned off.
///
/// The systems from ``singleTower`` to ``albef`` are the steps of the paper's own ablation (table
/// 1).
public enum WardrobeSystem: String, Sendable, Hashable, CaseIterable {
    /// Two towers, with the negatives of the batch.
    case clip
    /// Two towers, with momentum keys and queues (BriVL).
    case wenlan
    /// Fusion alone: MLM, and ITM with shifted negatives.
    case singleTower = "single-tower"
    /// Align before fuse: ``singleTower`` with ITC, and so with recall.
    case aligned = "aligned"
    /// ``aligned`` with hard negatives found by ITC.
    case hardNegatives = "hard-negatives"
    /// ``hardNegatives`` with the teacher's soft labels: all of ALBEF.
    case albef

    /// The title in tables.
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

    /// The changes to the preset.
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

    /// The stages to evaluate.
    public var stages: [WardrobeStage] {
        switch self {
        case .clip, .wenlan: [.towers]
        case .singleTower: [.exhaustive]
        default: [.towers, .reranked(16), .reranked(32), .reranked(64), .reranked(128)]
        }
    }
}
