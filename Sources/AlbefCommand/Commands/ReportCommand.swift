import ALBEFTraining
import ArgumentParser
import CommandSupport
import SystemPackage
import TrainingReport

/// `albef report`: makes a page of a training run.
struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Make an HTML page of a training run: its curves, recall and sample retrievals.",
        discussion: """
            The page is one self-contained file, which can be sent or published as it is. The run \
            may still be in progress.

              albef report runs/first
              albef report runs/first --output first.html
              albef report runs/first --json
            """)

    @Argument(help: ArgumentHelp("The run's directory.", valueName: "run"), completion: .directory)
    var run: String

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The page; default: report.html in the run's directory.", valueName: "file"),
        completion: .file())
    var output: String?

    @Flag(
        name: .customLong("no-pictures"),
        help: "Name the images of sample retrievals, but do not embed them.")
    var skipsImages = false

    @Flag(help: "Print the headline numbers as JSON; a page is written only with --output.")
    var json = false

    func run() async throws {
        let training = try RecordedRun(FilePath(run))
        if json { Console.result(try RunSummary(training).json()) }
        if json, output == nil { return }
        let path = output.map { FilePath($0) } ?? FilePath(run).appending("report.html")
        let hasImages = !skipsImages
        try await Interrupts.cancelling("stopping") {
            var bar = ProgressBar("embedding", unit: "images")
            defer { bar.finish() }
            try RunReport(training, hasImages: hasImages).write(to: path) { done, total in
                bar.show(done, of: total)
            }
        }
        if !json { Console.result(path.displayed) }
    }
}
