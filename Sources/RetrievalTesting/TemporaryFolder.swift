import Foundation
public import SystemPackage

/// Calls a function with a new folder, which is removed afterwards, whether the function succeeds
/// or throws.
///
///     try await withTemporaryFolder { folder in
///         let paths = try TinyImages.write(6, to: folder)
///         #expect(paths.count == 6)
///     }
///
/// - Parameters:
///   - isolation: the actor that runs the function; by default the caller's.
///   - body: gets the folder's path. No two calls get the same folder.
/// - Returns: what the function returns.
/// - Throws: what the function throws; an error of the file system if the folder cannot be made.
public func withTemporaryFolder<Result>(
    isolation: isolated (any Actor)? = #isolation,
    _ body: (_ folder: FilePath) async throws -> Result
) async throws -> Result {
    let folder = FilePath(NSTemporaryDirectory()).appending("albef-\(UUID().uuidString)")
    try FileManager.default.createDirectory(
        atPath: folder.string, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder.string) }
    return try await body(folder)
}
