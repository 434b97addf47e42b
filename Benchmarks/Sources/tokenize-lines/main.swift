// Prints the token ids of each line of the standard input, and the time taken to the standard
// error. `--escaped` reads lines as JSON strings, so that a text can hold any character.
import Foundation
import ImageText
import SystemPackage

let arguments = CommandLine.arguments.dropFirst()
guard let file = arguments.first else {
    print("usage: tokenize-lines VOCABULARY [--cased] [--escaped] < LINES")
    exit(2)
}
let vocabulary = try Vocabulary(contentsOf: FilePath(file))
let tokenizer = WordPieceTokenizer(
    vocabulary: vocabulary, isUncased: !arguments.contains("--cased"))

let input = String(decoding: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self)
var lines = input.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    .map { String(Substring($0)) }
if lines.last == "" { lines.removeLast() }
if arguments.contains("--escaped") {
    let decoder = JSONDecoder()
    lines = try lines.map { try decoder.decode([String].self, from: Data("[\($0)]".utf8))[0] }
}

let clock = ContinuousClock()
var rows: [[Int]] = []
rows.reserveCapacity(lines.count)
let duration = clock.measure {
    for line in lines { rows.append(tokenizer.ids(of: line)) }
}
let output = rows.map { $0.map(String.init).joined(separator: " ") + "\n" }.joined()
FileHandle.standardOutput.write(Data(output.utf8))
let bytes = lines.reduce(0) { $0 + $1.utf8.count }
let seconds = Double(duration.components.attoseconds) / 1e18 + Double(duration.components.seconds)
FileHandle.standardError.write(Data("\(bytes) bytes in \(seconds) s\n".utf8))
