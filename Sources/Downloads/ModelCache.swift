import ALBEF
import Storage
public import Foundation
public import SystemPackage

/// The folder in which models of the catalogue are kept, once for all programs of a user.
///
/// In `models/NAME` is `download`, while an entry is fetched; then `model`, the model directory that
/// was imported from it, or `files`, where the files themselves are wanted. Both of these appear
/// whole or not at all, and are never looked for on the network again. `download` keeps the digests
/// of what was fetched.
public struct ModelCache: Sendable {
    /// The folder.
    public let folder: FilePath
    /// How files are fetched.
    public var downloader: Downloader

    /// A cache in a folder, which is made when it is needed.
    public init(_ folder: FilePath, downloader: Downloader = Downloader()) {
        self.folder = folder
        self.downloader = downloader
    }

    /// The cache of an environment: `$ALBEF_CACHE`, else `albef` in `$XDG_CACHE_HOME`, else in
    /// `~/.cache`, on macOS in `~/Library/Caches`.
    ///
    /// A variable that is empty or, of `XDG_CACHE_HOME`, no absolute path, counts for nothing.
    public init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        if let own = environment["ALBEF_CACHE"], !own.isEmpty {
            self.init(FilePath(own))
        } else if let caches = environment["XDG_CACHE_HOME"], caches.hasPrefix("/") {
            self.init(FilePath(caches).appending("albef"))
        } else {
            let home = FilePath(
                environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? NSHomeDirectory())
            #if os(macOS)
                self.init(home.appending("Library/Caches/albef"))
            #else
                self.init(home.appending(".cache/albef"))
            #endif
        }
    }

    /// The model directory of an entry, if it is there; nothing in it is read.
    public func model(_ entry: ModelCatalog.Entry) -> FilePath? {
        let path = place(of: entry).model
        return FileSystem.exists(path.appending(ModelDirectory.configurationName)) ? path : nil
    }

    /// The folder of an entry's files, if all of them are there; nothing in it is read.
    public func files(_ entry: ModelCatalog.Entry) -> FilePath? {
        let path = place(of: entry).files
        return FileSystem.isDirectory(path) ? path : nil
    }

    /// How many bytes of an entry there are, half a download included; 0 if there is nothing.
    public func size(of entry: ModelCatalog.Entry) -> Int64 {
        Self.size(of: place(of: entry).path)
    }

    /// Removes all that there is of an entry, the digests of its files included.
    ///
    /// A program that uses the model goes on with it.
    ///
    /// - Returns: how many bytes that were; 0 if there was nothing.
    /// - Throws: ``ModelCacheError`` if another process is fetching it, or it cannot be removed.
    @discardableResult
    public func remove(_ entry: ModelCatalog.Entry) throws -> Int64 {
        let place = place(of: entry)
        guard FileSystem.exists(place.path) else { return 0 }
        guard let lock = try FolderLock(place.lock) else {
            throw ModelCacheError(entry.name, place.path, .inUse)
        }
        defer { lock.release() }
        let size = Self.size(of: place.path)
        do {
            // Half a model must not be found, however the removal ends.
            let last = place.path.lastComponent?.string ?? "model"
            let doomed = place.path.removingLastComponent()
                .appending(".\(last).\(UUID().uuidString.prefix(8)).removed")
            try FileSystem.rename(place.path, to: doomed)
            try FileManager.default.removeItem(atPath: doomed.string)
        } catch {
            throw ModelCacheError(entry.name, place.path, .removal("\(error)"))
        }
        return size
    }

    /// Where an entry is kept.
    struct Place {
        let path: FilePath
        let lock: FilePath

        var download: FilePath { path.appending("download") }
        var files: FilePath { path.appending("files") }
        var model: FilePath { path.appending("model") }
    }

    func place(of entry: ModelCatalog.Entry) -> Place {
        // Names of the catalogue have at most one slash, and no step upwards.
        let words = entry.name.split(separator: "/").map { word in
            word.allSatisfy { $0 == "." } ? "_" : String(word)
        }
        let path = words.reduce(folder.appending("models")) { $0.appending($1) }
        let lock = folder.appending("locks").appending(words.joined(separator: "--"))
        return Place(path: path, lock: lock)
    }

    private static func size(of path: FilePath) -> Int64 {
        guard
            let files = FileManager.default.enumerator(
                at: URL(filePath: path.string),
                includingPropertiesForKeys: [.fileSizeKey, .isRegularFileKey])
        else { return 0 }
        return files.reduce(0) { sum, file in
            let values = try? (file as? URL)?.resourceValues(
                forKeys: [.fileSizeKey, .isRegularFileKey])
            return values?.isRegularFile == true ? sum + Int64(values?.fileSize ?? 0) : sum
        }
    }
}

/// Why a model in the cache cannot be used or removed.
public struct ModelCacheError: Error, Sendable, CustomStringConvertible {
    enum Code: Sendable {
        case inUse
        case notAModel
        case removal(String)
        case storage(String)
    }

    private let name: String
    private let path: FilePath
    private let code: Code

    init(_ name: String, _ path: FilePath, _ code: Code) {
        self.name = name
        self.path = path
        self.code = code
    }

    /// The name, the place, and what is wrong.
    public var description: String {
        switch code {
        case .inUse: "\(name): another process is fetching it into \(path); try again afterwards"
        case .notAModel:
            "\(name): is no whole model, but a part that models start from: 'albef models create'"
        case .removal(let reason): "\(name): \(path) cannot be removed: \(reason)"
        case .storage(let reason):
            "\(name): \(path) cannot be written: \(reason); ALBEF_CACHE names another folder"
        }
    }
}
