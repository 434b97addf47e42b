internal import Foundation
import Storage
internal import SystemPackage

/// The shards that one text names.
///
/// A text may be a path, `pipe:COMMAND` or an `http` or `https` address; a brace pattern of those,
/// such as `train-{000000..000127}.tar` or `{a,b}/{0..9}.tar`; a path with `*`, `?` or `[…]`; a
/// folder or an index that `albef data pack` wrote; or several of these, joined by `::`.
public enum ShardList {
    /// The name of the index beside shards.
    public static let indexName = "shards.json"

    private static let separator = "::"

    /// Whether a text names shards, and not an annotation file: each of its parts is a command, an
    /// address, a path that ends in `.tar`, or an index or a folder with one.
    public static func isShards(_ text: String) -> Bool {
        parts(text).allSatisfy { part in
            if ShardAddress.isElsewhere(part) || part.lowercased().hasSuffix(".tar") { return true }
            return index(FilePath(part)) != nil
        }
    }

    /// Returns the text with each path changed; commands and addresses stay as they are.
    public static func mappingPaths(
        of text: String, _ change: (String) -> String
    ) -> String {
        parts(text).map { ShardAddress.isElsewhere($0) ? $0 : change($0) }
            .joined(separator: separator)
    }

    /// Returns the addresses that texts name, in order.
    ///
    /// - Throws: ``DatasetError`` if a pattern stands for more than a million shards, matches no
    ///   file, or an index is damaged.
    /// - Complexity: O(*n*) for *n* shards; they are not opened.
    public static func addresses(_ texts: [String]) throws(DatasetError) -> [ShardAddress] {
        var found: [ShardAddress] = []
        for part in texts.flatMap(parts) {
            if !ShardAddress.isElsewhere(part), let index = index(FilePath(part)) {
                found += try addresses(in: index)
                continue
            }
            let expanded: [String]
            do throws(BracePattern.TooMany) {
                expanded = try BracePattern.expand(part)
            } catch {
                throw .shards(
                    part, "stands for more than \(BracePattern.limit) shards; name fewer")
            }
            for text in expanded {
                if ShardAddress.isElsewhere(text) {
                    found.append(ShardAddress(text))
                } else {
                    found += try files(text)
                }
            }
        }
        return found
    }

    /// Returns the addresses in an index, which may come from others.
    ///
    /// - Throws: ``DatasetError`` if it names a command: only the user and the settings say what is
    ///   run.
    private static func addresses(in file: FilePath) throws(DatasetError) -> [ShardAddress] {
        let addresses = try ShardIndex(contentsOf: file).addresses
        for (number, address) in addresses.enumerated() {
            guard case .command = address.kind else { continue }
            throw .malformed(
                file, entry: "shardlist[\(number)].url",
                "is a command, which an index may not name; name the file or address that it reads,"
                    + " or give the command itself")
        }
        return addresses
    }

    private static func parts(_ text: String) -> [String] {
        text.components(separatedBy: separator).filter { !$0.isEmpty }
    }

    /// Returns the index that a path names, or that the folder of this path has.
    private static func index(_ path: FilePath) -> FilePath? {
        if path.lastComponent?.string == indexName { return path }
        let index = path.appending(indexName)
        return ImageFile.exists(index) ? index : nil
    }

    /// Returns the files that match, sorted by their bytes; a file of this very name comes first.
    private static func files(_ pattern: String) throws(DatasetError) -> [ShardAddress] {
        let isPattern = pattern.contains { "*?[".contains($0) }
        guard isPattern, !ImageFile.exists(FilePath(pattern)) else {
            return [ShardAddress(FilePath(pattern))]
        }
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(pattern, 0, nil, &found) == 0 else {
            throw .shards(pattern, "matches no file")
        }
        let paths = (0..<Int(found.gl_pathc)).compactMap { index in
            found.gl_pathv[index].map { FilePath(platformString: $0) }
        }
        return paths.sorted(by: FilePath.precedes).map(ShardAddress.init)
    }
}
