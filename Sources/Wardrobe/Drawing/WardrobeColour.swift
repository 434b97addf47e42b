/// The colours of clothes and small things.
public enum WardrobeColour: String, Sendable, Hashable, Codable, CaseIterable {
    case black, white, red, yellow, blue, green, purple, orange

    /// Returns the colour's name.
    func name(in language: WardrobeLanguage) -> String {
        switch language {
        case .english: rawValue
        case .chinese:
            switch self {
            case .black: "黑色"
            case .white: "白色"
            case .red: "红色"
            case .yellow: "黄色"
            case .blue: "蓝色"
            case .green: "绿色"
            case .purple: "紫色"
            case .orange: "橙色"
            }
        }
    }

    /// Red, green and blue under neutral light, from 0 to 255.
    var rgb: SIMD3<Double> {
        switch self {
        case .black: SIMD3(28, 28, 32)
        case .white: SIMD3(245, 245, 242)
        case .red: SIMD3(208, 32, 40)
        case .yellow: SIMD3(246, 208, 48)
        case .blue: SIMD3(38, 84, 196)
        case .green: SIMD3(40, 150, 72)
        case .purple: SIMD3(122, 52, 160)
        case .orange: SIMD3(240, 124, 28)
        }
    }
}

/// The languages of captions and queries.
public enum WardrobeLanguage: String, Sendable, Hashable, Codable, CaseIterable {
    case english = "en"
    case chinese = "zh"

    /// The language's name in English.
    public var title: String {
        switch self {
        case .english: "English"
        case .chinese: "Chinese"
        }
    }
}
