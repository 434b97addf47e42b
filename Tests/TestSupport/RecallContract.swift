import Foundation
import ImageText
package import Retrieval
package import SystemPackage
import Testing
package import Torch

/// What every `CandidateRecall` must do, over an index of features that no model made.
///
/// The same checks run with the index's own recall and with stores outside of the process.
package struct RecallContract {
    package static let count = 700
    /// The index: two segments, and an entry that was removed.
    package let directory: FilePath
    package let features: Tensor

    /// Makes the index in a folder.
    package init(in folder: FilePath) throws {
        directory = folder.appending("index")
        features = try SyntheticIndex.features(Self.count, seed: 8)
        for range in [0..<50, 50..<Self.count] {
            try SyntheticIndex.append(
                features[range], first: range.lowerBound, to: directory, metadata: Self.metadata,
                about: Self.about)
        }
        _ = try ForwardIndex.remove(directory, paths: ["/images/6.jpg"])
    }

    package static let conditions: [[String]] = [
        ["number>=100"], ["number<40", "place=Kyoto"], ["place!=Rome"], ["new=true"],
        ["new!=true"], ["tags=t3"], ["tags!=a"], ["tags>s"], ["tags<=a"], ["nothing=1"],
        ["nothing!=1"], ["name 61=1"], ["name 61!=1", "number<65"], ["text>x600"], ["text<=x3"],
        ["text=\(longText(5))"], ["text!=\(longText(5))"], ["text>=\(longText(5))"],
        ["text<\(longText(40))"], ["number=x"], ["number!=x"], ["number=7"], ["number!=7.0"],
        ["number<inf"], ["number>inf"], ["number>=-inf"], ["number=nan"], ["number!=nan"],
        ["place>Kyoto"], ["place=Ło\u{301}dz\u{301}"], ["quote=\"a\\b\"\n"], ["quote>=\"a\\"],
        ["date>=2003"], ["date<=2001-02"], ["date=2002"], ["date!=2002-03"], ["date<2004"],
        ["date>2004-05"], ["date!=1"], ["camera=C 1", "width>30"], ["size<40"],
        ["orientation!=square"], ["folder=/images"], ["folder!=/images"], ["folder=/images/"],
        ["folder=/"], ["folder>=/image"], ["folder=/image"], ["height=31"],
    ]

    /// A text of more characters than stores keep.
    private static func longText(_ number: Int) -> String {
        String(repeating: "x\(number)", count: 60)
    }

    private static func metadata(_ number: Int) -> [String: MetadataValue] {
        var result: [String: MetadataValue] = ["number": .number(Double(number))]
        if number % 2 == 0 { result["place"] = .text(["Kyoto", "Łódź", "Rome"][number % 3]) }
        if number % 5 == 0 { result["new"] = .flag(number % 10 == 0) }
        if number % 3 == 0 { result["tags"] = .list(["a", "t\(number % 7)"]) }
        if number % 11 == 0 { result["tags"] = .list([]) }
        if number % 13 == 0 { result["number"] = .text("\(number)") }
        if number % 17 == 0 { result["quote"] = .text("\"a\\b\"\n") }
        if number % 4 == 1 { result["text"] = .text(longText(number)) }
        if number < 90 { result["name \(number)"] = .number(1) }
        return result
    }

    private static func about(_ number: Int) -> ImageFacts? {
        guard number % 4 > 0 else { return nil }
        var about = ImageFacts()
        if number % 3 > 0 {
            about.date = "200\(number % 7)-0\(1 + number % 9)-1\(number % 5)T10:00:00"
        }
        (about.width, about.height) = (30 + number % 3, 31)
        about.camera = "C \(number % 5)"
        return about
    }

    /// Checks a recall against a comparison of all entries.
    ///
    /// - Parameters:
    ///   - recall: The recall; its store is in step with the index.
    ///   - least: The least share of the right candidates. Default: 1.
    package func check(_ recall: any CandidateRecall, atLeast least: Double = 1) throws {
        let index = try ForwardIndex(directory)
        let locator = EntryLocator()
        func ask(_ requests: RecallRequest...) -> [Result<[Candidate], any Error>] {
            recall.candidates(for: requests, in: index, locator: locator)
        }
        func compare(_ found: [Candidate], _ request: RecallRequest, _ what: String) throws {
            let all = try index.recall(
                request.feature, count: Self.count, filters: request.filters, method: .exact)
            let expected = all.prefix(request.count)
            let similarities = Dictionary(uniqueKeysWithValues: all.map { ($0.id, $0.similarity) })
            #expect(found == found.sorted() && found.count <= request.count, "\(what)")
            #expect(found.allSatisfy { similarities[$0.id] == $0.similarity }, "\(what)")
            let right = Set(found).intersection(expected).count
            #expect(Double(right) >= least * Double(expected.count), "\(what)")
        }
        // Every condition, with all entries wanted and with few.
        for conditions in Self.conditions {
            let filters = conditions.compactMap { MetadataFilter($0) }
            #expect(filters.count == conditions.count)
            for count in [10, Self.count] {
                let request = RecallRequest(feature: features[3], count: count, filters: filters)
                try compare(ask(request)[0].get(), request, "\(conditions)")
            }
        }
        // Several requests, of which some cannot be answered.
        let requests = [
            RecallRequest(feature: features[1], count: 20),
            RecallRequest(feature: features[2], count: 20),
            RecallRequest(feature: .ones([3]), count: 20),
            RecallRequest(feature: features[4], count: 0),
            RecallRequest(
                feature: features[5], count: 20,
                limit: WorkLimit(deadline: nil, isCancelled: { true })),
            RecallRequest(feature: features[6], count: 2 * Self.count),
            RecallRequest(feature: features[7], count: 20, method: .exact),
        ]
        let answers = recall.candidates(for: requests, in: index, locator: locator)
        #expect(answers.count == requests.count)
        for position in [0, 1, 3, 5, 6] {
            try compare(answers[position].get(), requests[position], "request \(position)")
        }
        #expect(throws: QueryError.self) { try answers[2].get() }
        #expect(throws: CancellationError.self) { try answers[4].get() }
    }
}
