import Foundation
import SystemPackage
import TestSupport
import Testing

/// What the snapshots of the help say of the commands.
struct CommandHelp {
    /// The options of a command and the commands below it.
    struct Command {
        var options: Set<String> = []
        var subcommands: Set<String> = []
        var standard: String?
    }

    private var commands: [[String]: Command] = [:]

    init() throws {
        for file in try Pages.files(under: Fixtures.path("snapshots"), extension: "txt") {
            let text = try Pages.text(file)
            guard let usage = text.firstMatch(of: /(?m)^USAGE: albef((?: [a-z]+)*)/) else {
                continue
            }
            let name = usage.output.1.split(separator: " ").map(String.init)
            var command = Command()
            for line in text.split(separator: "\n") {
                guard let names = line.prefixMatch(of: #/\ \ (?:-\w,\ )?-[\w,\ -]*/#) else {
                    continue
                }
                command.options.formUnion(
                    names.output.matches(of: /-[\w-]+/).map { String($0.output) })
            }
            if let list = text.split(separator: "SUBCOMMANDS:").dropFirst().first {
                for match in list.matches(of: #/(?m)^\ \ ([a-z]+)(\ \(default\))?\ /#) {
                    command.subcommands.insert(String(match.output.1))
                    if match.output.2 != nil { command.standard = String(match.output.1) }
                }
            }
            commands[name] = command
        }
    }

    /// What is wrong with the words of a command line after `albef`; nil if nothing is.
    func fault(_ words: [ShellWord]) -> String? {
        var words = words[...]
        var name: [String] = []
        guard var command = commands[name] else { return "there is no help of albef" }
        if words.first?.text == "help" { words.removeFirst() }
        while !command.subcommands.isEmpty {
            if let word = words.first, !word.isQuoted, command.subcommands.contains(word.text) {
                name.append(words.removeFirst().text)
            } else if let standard = command.standard {
                name.append(standard)
            } else if let word = words.first, !word.text.hasPrefix("-"), word.text != "COMMAND" {
                return "there is no subcommand '\(word.text)'"
            } else {
                break
            }
            guard let next = commands[name] else {
                return "there is no snapshot of the help of '\(name.joined(separator: " "))'"
            }
            command = next
        }
        for word in words where !word.isQuoted && word.text.hasPrefix("-") && word.text != "-" {
            if word.text == "--" { break }
            let option = String(word.text.prefix { $0 != "=" })
            // ArgumentParser's own, which no help names.
            if option == "--generate-completion-script" { continue }
            guard command.options.contains(option) else {
                return "'\(name.joined(separator: " "))' has no option '\(option)'"
            }
        }
        return nil
    }
}

/// A word of a command line.
struct ShellWord: Equatable {
    var text: String
    var isQuoted = false

    /// The words of a line up to the end of its command.
    static func words(of line: some StringProtocol) -> [ShellWord] {
        var words: [ShellWord] = []
        var word: ShellWord?
        var quote: Character?
        for character in line {
            if let open = quote {
                if character == open { quote = nil } else { word?.text.append(character) }
            } else if character == "\"" || character == "'" {
                quote = character
                word = word ?? ShellWord(text: "", isQuoted: true)
            } else if character.isWhitespace {
                if let found = word { words.append(found) }
                word = nil
            } else if "|;&>".contains(character) || character == "#" && word == nil {
                break
            } else {
                word = word ?? ShellWord(text: "")
                word?.text.append(character)
            }
        }
        if let word { words.append(word) }
        return words
    }
}

@Suite("Command lines in pages")
struct CommandLineTests {
    @Test func commandLinesAreOfCommandsThatExist() throws {
        let help = try CommandHelp()
        var count = 0
        for page in try Pages.all() {
            for line in Self.commandLines(in: try Pages.text(page)) {
                count += 1
                if let fault = help.fault(ShellWord.words(of: line)) {
                    Issue.record("\(Pages.name(page)): albef \(line): \(fault)")
                }
            }
        }
        #expect(count > 50, "command lines are not found any more")
    }

    /// What follows `albef` in the code of a page: in spans, and in lines of blocks.
    private static func commandLines(in text: String) -> [String] {
        let joined = text.replacing(/\\\n */, with: "")
        let spans = joined.matches(of: /`(?:sudo )?albef ([^`]+)`/).map { String($0.output.1) }
        let lines = joined.matches(
            of: #/(?m)^(?:\ \ \ \ +|\$\ +|)(?:\.build/release/)?albef\ (\S.*)$/#
        ).map { String($0.output.1) }
        return spans.map { $0.replacing("\n", with: " ") } + lines.filter { !$0.contains("`") }
    }

    @Test func faultsAreFound() throws {
        let help = try CommandHelp()
        func fault(_ line: String) -> String? { help.fault(ShellWord.words(of: line)) }
        #expect(fault("serch x") == "there is no subcommand 'serch'")
        #expect(fault("search x --tpo 3") == "'search' has no option '--tpo'")
        #expect(fault("index x --watch --wach") == "'index add' has no option '--wach'")
        #expect(fault(#"search 'a -b' -k 3 --where 'a=b' # --not-read"#) == nil)
        #expect(fault("index verify x.index") == nil)
        #expect(fault("help search") == nil)
    }
}
