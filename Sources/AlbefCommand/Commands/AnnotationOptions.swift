import ArgumentParser
import CommandSupport
import ImageText
import SystemPackage

/// The options of the commands that evaluate a model on annotated images.
struct AnnotationOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp("Annotations, in the form above.", valueName: "file"),
        completion: .file())
    var files: [String]

    @Option(
        help: ArgumentHelp(
            "Folder that relative image paths start from; default: each file's own.",
            valueName: "directory"), completion: .directory)
    var images: String?

    @Flag(help: "Leave out items whose images are missing or damaged, and report how many.")
    var skipMissing = false

    @Option(
        help: ArgumentHelp("Use only the first n items of each file; 0 for all.", valueName: "n"))
    var limit = 0

    @Flag(help: "Print the results as JSON.")
    var json = false

    func validate() throws { try NumberBounds.check("--limit", limit, 0...1_000_000_000) }

    /// The annotation files.
    var paths: [FilePath] { files.map { FilePath($0) } }
    /// The folder that relative image paths start from.
    var imageRoot: FilePath? { images.map { FilePath($0) } }
    /// How to treat items without an image.
    var missing: MissingImages { skipMissing ? .skipped : .refused }
    /// The name of the data in error messages.
    var source: String { files.joined(separator: ", ") }

    /// Reports what was left out.
    ///
    /// - Parameters:
    ///   - what: the name of the items, such as `pairs`.
    ///   - missing: the number of items whose image is missing.
    ///   - unreadable: the errors of damaged images.
    ///   - damaged: the number of items with a damaged image.
    func note(leftOut what: String, missing: Int, unreadable: [ImageError], damaged: Int) {
        if missing > 0 {
            Console.note("note: left out \(missing) \(what) whose images are missing")
        }
        guard damaged > 0 else { return }
        Console.note(
            "note: left out \(damaged) \(what); \(unreadable.count) images cannot be read:")
        for error in unreadable.prefix(5) { Console.note("  " + error.description.displayed) }
    }
}
