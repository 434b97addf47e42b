package import Retrieval

/// A model in the JSON of commands: its name, and the summary of its card.
package struct ModelOutput: Encodable {
    private let name: String
    private let subject: String?
    /// The model that recalls, if it is another one; at most one element.
    private let recall: [ModelOutput]

    private enum CodingKeys: String, CodingKey {
        case name
        case subject = "knows"
        case recall
    }

    /// Describes the models of a search.
    package init(_ model: SearchModel) {
        self.init(model.reader, recall: model.recall)
    }

    private init(_ model: EncodingModel, recall: EncodingModel?) {
        name = model.name
        subject = model.subject
        self.recall = recall.map { [ModelOutput($0, recall: nil)] } ?? []
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        // Write `null` rather than leave out the key.
        try container.encode(subject, forKey: .subject)
        try container.encodeIfPresent(recall.first, forKey: .recall)
    }
}
