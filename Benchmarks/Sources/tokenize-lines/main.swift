// Prints the token ids of each line of standard input, and the time taken to standard error. With
// `--escaped`, lines are JSON strings, so that a text can hold any character.
//
// The first argument is BERT's vocab.txt or, with `--tokenizer`, any tokenizer of a model folder.
// In that case `--special` recognizes special tokens that are typed in a text, `--cleaning NAME`
// cleans texts as that framing does, and `--words` prints words, as JSON, instead of ids.
import Foundation
import ImageText
import SystemPackage

let arguments = CommandLine.arguments.dropFirst()
guard let file = arguments.first else {
    print(
        "usage: tokenize-lines VOCABULARY [--cased] [--escaped] [--tokenizer [--special] "
            + "[--cleaning NAME] [--words]] < LINES")
    exit(2)
}
let clock = ContinuousClock()
func seconds(_ duration: Duration) -> Double {
    Double(duration.components.attoseconds) / 1e18 + Double(duration.components.seconds)
}

let start = clock.now
let tokenizer: Tokenizer
do {
    if arguments.contains("--tokenizer") {
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: file, isDirectory: &isFolder)
        let special = arguments.contains("--special")
        tokenizer =
            isFolder.boolValue
            ? try Tokenizer.read(folder: FilePath(file), readsSpecial: special).tokenizer
            : try Tokenizer.read(file: FilePath(file), readsSpecial: special).tokenizer
    } else {
        tokenizer = .wordPiece(
            WordPieceTokenizer(
                vocabulary: try Vocabulary(contentsOf: FilePath(file)),
                isUncased: !arguments.contains("--cased")))
    }
}
let loading = clock.now - start
var cleaning = TextCleaning.none
if let option = arguments.firstIndex(of: "--cleaning"), option + 1 < arguments.endIndex {
    guard let named = TextCleaning(rawValue: arguments[option + 1]) else {
        print("--cleaning '\(arguments[option + 1])' is unknown")
        exit(2)
    }
    cleaning = named
}

let input = String(decoding: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self)
var lines = input.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    .map { String(Substring($0)) }
if lines.last == "" { lines.removeLast() }
if arguments.contains("--escaped") {
    let decoder = JSONDecoder()
    lines = try lines.map { try decoder.decode([String].self, from: Data("[\($0)]".utf8))[0] }
}

var output = ""
if arguments.contains("--words") {
    let encoder = JSONEncoder()
    for line in lines {
        let words = tokenizer.words(of: cleaning.clean(line))
        let texts = try encoder.encode(words.map { "\($0.tokens.count) \($0.text)" })
        output += String(decoding: texts, as: UTF8.self) + "\n"
    }
    FileHandle.standardOutput.write(Data(output.utf8))
    exit(0)
}
var rows: [[Int]] = []
rows.reserveCapacity(lines.count)
let duration = clock.measure {
    for line in lines { rows.append(tokenizer.ids(of: cleaning.clean(line))) }
}
output = rows.map { $0.map(String.init).joined(separator: " ") + "\n" }.joined()
FileHandle.standardOutput.write(Data(output.utf8))
let bytes = lines.reduce(0) { $0 + $1.utf8.count }
FileHandle.standardError.write(
    Data(
        "\(bytes) bytes in \(seconds(duration)) s, read in \(seconds(loading)) s\n".utf8))
