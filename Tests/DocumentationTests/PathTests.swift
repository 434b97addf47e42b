import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Paths in pages")
struct PathTests {
    /// A link of Markdown that leads to a file of the repository.
    @Test func linksLeadSomewhere() throws {
        for page in try Pages.beside() {
            let folder = page.removingLastComponent()
            for match in try Pages.text(page).matches(of: /\]\(([^)\s]+)\)/) {
                let target = String(match.output.1)
                guard !target.contains("://"), !target.hasPrefix("mailto:") else { continue }
                let parts = target.split(
                    separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
                let file =
                    parts[0].isEmpty
                    ? page : folder.pushing(FilePath(String(parts[0]))).lexicallyNormalized()
                guard FileManager.default.fileExists(atPath: file.string) else {
                    Issue.record("\(Pages.name(page)) leads to \(target), which is not there")
                    continue
                }
                guard parts.count == 2, file.extension == "md" else { continue }
                let anchors = Self.anchors(of: try Pages.text(file))
                #expect(
                    anchors.contains(String(parts[1])),
                    "\(Pages.name(page)) leads to \(target), and there is no such heading")
            }
        }
    }

    /// A path that is named in a page, from the page, from the repository or from `Sources`.
    @Test func namedPathsExist() throws {
        let manager = FileManager.default
        let sources = Fixtures.repository.appending("Sources")
        var roots: [String: FilePath] = [:]
        for name in ["Benchmarks", "Documentation", "Examples", "Scripts", "Sources", "Tests"] {
            roots[name] = Fixtures.repository
        }
        for name in try manager.contentsOfDirectory(atPath: sources.string) {
            roots[name] = sources
        }
        for page in try Pages.all() {
            for match in try Pages.text(page).matches(of: /(?:[\w.+-]+\/)+[\w.+-]*/) {
                let path = match.output
                guard let root = roots[String(path.prefix { $0 != "/" })],
                    Self.beginsPath(path, in: path.base)
                else { continue }
                var name = String(path)
                while let last = name.last, ".,".contains(last) { name.removeLast() }
                // Neither a pattern nor the first half of a name with other signs.
                if let next = path.base[path.endIndex...].first, "*…{$".contains(next) { continue }
                let beside = page.removingLastComponent().pushing(FilePath(name))
                #expect(
                    manager.fileExists(atPath: beside.string)
                        || Self.places(of: name).contains {
                            manager.fileExists(atPath: root.pushing(FilePath($0)).string)
                        },
                    "\(Pages.name(page)) names \(name), which is not there")
            }
        }
    }

    /// Whether what stands before a path does not belong to it.
    private static func beginsPath(_ path: Substring, in page: String) -> Bool {
        guard let before = page[..<path.startIndex].last else { return true }
        return !"/~:.$".contains(before)
    }

    /// Where a path may lead: a program of the benchmarks goes by the name of its folder.
    private static func places(of name: String) -> [String] {
        let folder = name.replacing("Benchmarks/.build/release/", with: "Benchmarks/")
        return [name, folder.replacing("Benchmarks/", with: "Benchmarks/Sources/")]
    }

    /// The anchors of a page's headings, as GitHub makes them.
    private static func anchors(of text: String) -> Set<String> {
        Set(
            text.matches(of: /(?m)^#+ (.+)$/).map { match in
                String(
                    match.output.1.lowercased().filter {
                        $0.isLetter || $0.isNumber || "-_ ".contains($0)
                    }.map { $0 == " " ? "-" : $0 })
            })
    }
}
