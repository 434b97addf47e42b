import Retrieval

/// A model in the JSON of commands: what it is called and what it knows.
struct ModelOutput: Encodable {
    private let name: String
    private let knows: String?
    /// The model that recalls, where that is another.
    private let recall: [ModelOutput]

    private enum CodingKeys: String, CodingKey { case name, knows, recall }

    /// Names the models of a search.
    init(_ model: SearchModel) {
        self.init(model.reader, recall: model.recall)
    }

    private init(_ model: EncodingModel, recall: EncodingModel?) {
        name = model.name
        knows = model.knows
        self.recall = recall.map { [ModelOutput($0, recall: nil)] } ?? []
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        // `null` rather than nothing.
        try container.encode(knows, forKey: .knows)
        try container.encodeIfPresent(recall.first, forKey: .recall)
    }
}
