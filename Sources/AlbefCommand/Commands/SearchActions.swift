public import ArgumentParser
import CommandSupport
import Foundation
public import Retrieval
import SystemPackage

/// The actions of `albef search` on its results, besides printing a table.
struct SearchActions: ParsableArguments {
    @Flag(
        name: [.customLong("paths"), .customLong("paths-only")],
        help: "Print only paths, one per line.")
    var pathsOnly = false

    @Flag(
        name: [.customShort("0"), .customLong("print0")],
        help: "Print only paths, each followed by a zero byte.")
    var printsZeros = false

    @Flag(help: "Open the best result in the system's viewer.")
    var open = false

    @Option(
        help: ArgumentHelp(
            "Copy the results into a folder under their own names; existing files stay.",
            valueName: "directory"))
    var copyTo: String?

    /// Whether standard output is for other programs.
    var isForPrograms: Bool { pathsOnly || printsZeros }

    /// Checks that the actions suit the entries of an index.
    ///
    /// - Throws: `ValidationError` if an action needs images and the entries are texts.
    func check(_ content: IndexContent) throws {
        guard content == .texts, open || copyTo != nil else { return }
        throw ValidationError(
            "\(open ? "--open" : "--copy-to") needs images, but this index holds texts.")
    }

    /// Copies the results and opens the best one, as the options ask.
    ///
    /// - Throws: ``CopyError`` for the first file that cannot be copied; ``OpeningError``.
    func act(on results: [SearchResult]) async throws {
        if let copyTo {
            let folder = FilePath(copyTo)
            let copies = try await Interrupts.cancelling("stopping") {
                var bar = ProgressBar("copying", unit: "images")
                defer { bar.finish() }
                let folder = try CopyFolder(folder)
                for (position, result) in results.enumerated() {
                    try Task.checkCancellation()
                    try folder.copy(result.path)
                    bar.show(position + 1, of: results.count)
                }
                return results.count
            }
            Console.note("copied \(copies) images to \(folder.displayed)")
        }
        if open, let best = results.first { try Viewer.open(best.path) }
    }
}

/// A folder to copy files to, each under a unique name.
private struct CopyFolder {
    private let folder: FilePath

    /// Creates the folder if it does not exist.
    init(_ folder: FilePath) throws {
        self.folder = folder
        do {
            try FileManager.default.createDirectory(
                atPath: folder.string, withIntermediateDirectories: true)
        } catch {
            throw CopyError(path: folder, reason: error.localizedDescription)
        }
    }

    /// Copies a file, unless the folder has a file of this name and content.
    ///
    /// If another file has the name, the copy gets a number: `dog (2).jpg`. The copy gets its name
    /// only when it is complete.
    func copy(_ file: FilePath) throws {
        let (files, stem) = (FileManager.default, file.stem ?? "image")
        let suffix = file.extension.map { ".\($0)" } ?? ""
        var number = 1
        var target: FilePath
        repeat {
            target = folder.appending(number == 1 ? stem + suffix : "\(stem) (\(number))\(suffix)")
            if files.contentsEqual(atPath: file.string, andPath: target.string) { return }
            number += 1
        } while files.fileExists(atPath: target.string)
        let part = folder.appending(".\(UUID().uuidString).part")
        do {
            try files.copyItem(atPath: file.string, toPath: part.string)
            try files.moveItem(atPath: part.string, toPath: target.string)
        } catch {
            try? files.removeItem(atPath: part.string)
            throw CopyError(path: file, reason: error.localizedDescription)
        }
    }
}

/// A file that could not be copied.
struct CopyError: Error, CustomStringConvertible {
    let path: FilePath
    let reason: String

    var description: String { "\(path.displayed): cannot be copied: \(reason)" }
}

/// The program that shows files on this system.
private enum Viewer {
    #if os(macOS)
        private static let program = "open"
    #else
        private static let program = "xdg-open"
    #endif

    /// Opens a file.
    ///
    /// - Throws: ``OpeningError`` if the program is missing or fails.
    static func open(_ file: FilePath) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [program, file.absolute.string]
        process.standardInput = FileHandle.nullDevice
        do {
            try process.run()
        } catch {
            throw OpeningError(path: file, reason: error.localizedDescription)
        }
        process.waitUntilExit()
        switch process.terminationStatus {
        case 0: return
        case 127:
            throw OpeningError(
                path: file, reason: "the program \(program) is missing; on Debian install xdg-utils"
            )
        case let status:
            throw OpeningError(path: file, reason: "\(program) ended with status \(status)")
        }
    }
}

/// A file that could not be opened.
struct OpeningError: Error, CustomStringConvertible {
    let path: FilePath
    let reason: String

    var description: String { "\(path.displayed): cannot be opened: \(reason)" }
}

extension EntryOrder: ExpressibleByArgument {}
