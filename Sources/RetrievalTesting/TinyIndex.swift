import Foundation
public import Retrieval
public import SystemPackage

/// Calls a function with an index of tiny images and what searches it, all of which is removed
/// afterwards.
///
///     try await withTinyIndex(images: 6) { searcher, index, folder in
///         let results = try searcher.search("a dog in the snow", count: 3)
///         #expect(results.count == 3)
///     }
///
/// - Parameters:
///   - count: images in the index, those of ``TinyImages/write(_:to:)``; default 12.
///   - model: what makes the index and re-ranks; default ``TinyModel/init(dialect:task:seed:vision:)``.
///   - recall: another model, which recalls; nil for one model.
///   - isolation: the actor that runs the function; by default the caller's.
///   - body: gets a searcher, whose `model` opens or changes the index too, the index's directory,
///     and the folder of the images.
/// - Returns: what the function returns.
/// - Throws: what the function throws; `FolderError` if there are no images; as
///   ``TinyModel/makeSearchModel(in:recall:)``.
public func withTinyIndex<Result>(
    images count: Int = 12, model: TinyModel = TinyModel(), recall: TinyModel? = nil,
    isolation: isolated (any Actor)? = #isolation,
    _ body: (_ searcher: Searcher, _ index: FilePath, _ folder: FilePath) async throws -> Result
) async throws -> Result {
    try await withTemporaryFolder { folder in
        let images = folder.appending("images")
        let index = folder.appending("index")
        let searchModel = try await makeTinyIndex(index, of: count, in: images, model, recall)
        return try await body(Searcher(searchModel, ForwardIndex(index)), index, images)
    }
}

/// Makes an index beside the folder of its images, and the model beside both.
func makeTinyIndex(
    _ index: FilePath, of count: Int, in images: FilePath, _ model: TinyModel, _ recall: TinyModel?
) async throws -> SearchModel {
    try TinyImages.write(count, to: images)
    let searchModel = try model.makeSearchModel(
        in: images.removingLastComponent(), recall: recall)
    _ = try await Indexer(searchModel).update(index, with: images)
    return searchModel
}
