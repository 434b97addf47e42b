import CFuzzer
import Foundation
import SystemPackage

/// Gives damaged inputs to one parser, or checks that it reads the inputs that are valid.
///
///     fuzz PARSER [libFuzzer's options] CORPUS...    changes the inputs of the folders
///     fuzz PARSER [libFuzzer's options] FILE...      reads the files, as they are
///     fuzz --check PARSER FILE...                    fails if the parser refuses one of the files
///     fuzz --list                                    prints the names of the parsers
///     fuzz --samples FOLDER                          writes the files of a small index
///
/// A parser may throw. Whatever ends the process is a finding: a trap, an access beyond a buffer, a
/// leak, an input that takes too long or too much memory. `Scripts/fuzz` runs all parsers.
@main
struct Fuzz {
    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        switch arguments.first {
        case "--list": for parser in Parser.all { print(parser.name) }
        case "--check": try check(arguments.dropFirst())
        case "--samples":
            guard arguments.count == 2, let folder = arguments.last else { fail("give a folder") }
            try SampleIndex().write(to: FilePath(folder))
        case let name?: run(name)
        case nil: fail("give the name of a parser; --list prints them")
        }
    }

    private static func fail(_ text: String) -> Never {
        FileHandle.standardError.write(Data("fuzz: \(text)\n".utf8))
        exit(2)
    }

    private static func check(_ arguments: ArraySlice<String>) throws {
        guard let name = arguments.first, let parser = Parser.named(name) else {
            fail("there is no parser \(arguments.first ?? "without a name")")
        }
        for file in arguments.dropFirst() {
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
            do { try parser.read(bytes) } catch { fail("\(name) refuses \(file): \(error)") }
        }
    }

    private static func run(_ name: String) {
        guard Parser.named(name) != nil else { fail("there is no parser \(name)") }
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? =
            CommandLine.unsafeArgv
        // libFuzzer passes over what is no option, so it would read the name as a folder.
        let options = (0..<Int(count)).filter { $0 != 1 }.map { arguments?[$0] ?? nil }
        var kept = options + [nil]
        let status = kept.withUnsafeMutableBufferPointer { kept -> Int32 in
            count -= 1
            arguments = kept.baseAddress
            return LLVMFuzzerRunDriver(&count, &arguments) { bytes, count in
                Chosen.read(UnsafeBufferPointer(start: bytes, count: count))
            }
        }
        exit(status)
    }
}

/// The parser that the arguments name; libFuzzer passes nothing to the function that it calls.
private enum Chosen {
    private static let parser = Parser.named(CommandLine.arguments[1])

    /// Reads an input.
    ///
    /// - Returns: 0 to keep the input for further changes if it reached new code; -1 not to.
    static func read(_ bytes: UnsafeBufferPointer<UInt8>) -> Int32 {
        do { try parser?.read(Array(bytes)) } catch is OtherFormat { return -1 } catch {}
        return 0
    }
}
