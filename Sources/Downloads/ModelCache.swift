import ALBEF
public import Foundation
import Storage
public import SystemPackage

/// A folder that keeps models of the catalogue for all programs of a user.
///
/// The folder `models/NAME` of an entry has up to three subfolders. `download` receives the files
/// and keeps their digests after an import. `model` is the model directory that was imported from
/// them. `files` has the files of an entry that is used without an import. Both `model` and `files`
/// appear either complete or not at all, and later calls use them without the network.
///
/// ```swift
/// let entry = try ModelCatalog.published.entry(named: "albef-coco", for: .search)
/// let model = try await ModelCache().prepare(entry)
/// ```
public struct ModelCache: Sendable {
    /// The folder of the cache.
    public let folder: FilePath
    /// The downloader for missing files.
    public var downloader: Downloader

    /// Creates a cache in a folder; the first download creates the folder.
    public init(_ folder: FilePath, downloader: Downloader = Downloader()) {
        self.folder = folder
        self.downloader = downloader
    }

    /// Creates the cache that an environment names.
    ///
    /// Its folder is `$ALBEF_CACHE`, or else `$XDG_CACHE_HOME/albef`, or else `~/.cache/albef`
    /// (`~/Library/Caches/albef` on macOS). An empty variable is ignored, and so is a
    /// `XDG_CACHE_HOME` that is not an absolute path.
    ///
    /// - Parameter environment: the variables; those of this process by default.
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

    /// Returns the model directory of an entry if it exists, without reading its content.
    public func model(_ entry: ModelCatalog.Entry) -> FilePath? {
        let path = place(of: entry).model
        return FileSystem.exists(path.appending(ModelDirectory.configurationName)) ? path : nil
    }

    /// Returns the folder of an entry's files if it is complete, without reading its content.
    public func files(_ entry: ModelCatalog.Entry) -> FilePath? {
        let path = place(of: entry).files
        return FileSystem.isDirectory(path) ? path : nil
    }

    /// Returns the size of an entry in the cache in bytes, including incomplete downloads.
    public func size(of entry: ModelCatalog.Entry) -> Int64 {
        Self.size(of: place(of: entry).path)
    }

    /// Removes everything of an entry from the cache, including the digests of its files.
    ///
    /// A program that has the model open can continue to use it.
    ///
    /// - Returns: the number of removed bytes; 0 if the cache did not have the entry.
    /// - Throws: ``ModelCacheError`` if another process is fetching the entry, or if the entry
    ///   cannot be removed.
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
            // If the removal is interrupted, no incomplete model must stay under its name.
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

    /// The paths of an entry in the cache.
    struct Place {
        let path: FilePath
        let lock: FilePath

        var download: FilePath { path.appending("download") }
        var files: FilePath { path.appending("files") }
        var model: FilePath { path.appending("model") }
    }

    func place(of entry: ModelCatalog.Entry) -> Place {
        // Names of the catalogue have at most one slash, and must not lead out of the cache.
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

/// An error that names a model and the reason why the cache cannot prepare or remove it.
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

    /// The name of the entry, the path, the reason, and what to do.
    public var description: String {
        switch code {
        case .inUse: "\(name): another process is fetching it into \(path); try again afterwards"
        case .notAModel:
            "\(name): is not a complete model, but a part for 'albef models create'"
        case .removal(let reason): "\(name): \(path) cannot be removed: \(reason)"
        case .storage(let reason):
            "\(name): \(path) cannot be written: \(reason); set ALBEF_CACHE to use another folder"
        }
    }
}
