import Synchronization
import TestSupport

/// A suite whose tests are the samples of the documentation.
///
/// A sample is the code between a line `// sample: NAME` and a line `// end`. Pages show it under a
/// comment `<!-- sample: NAME -->`, and ``SampleTests`` compares the two. A sample calls paths by
/// names that a test can set; a line `// shown: name = TEXT` says what pages have in their place.
protocol SampleSuite: Sendable {
    /// What the samples print.
    var printed: Printed { get }
}

extension SampleSuite {
    /// Takes the place of Swift's function in samples.
    func print(_ items: Any...) {
        printed.append(items.map { "\($0)" }.joined(separator: " "))
    }
}

/// The lines that a sample has printed.
final class Printed: Sendable {
    private let storage = Mutex<[String]>([])

    /// All of them, in order.
    var lines: [String] { storage.withLock { $0 } }

    func append(_ line: String) { storage.withLock { $0.append(line) } }
}
