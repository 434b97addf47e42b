import CommandSupport
import Retrieval
import SystemPackage
import Testing

@Suite("Names of models")
struct ModelReferenceTests {
    @Test("The name of a shipped model comes first, and a path is always a path")
    func directories() throws {
        let directory = try #require(ShippedModel.wardrobe.directory)
        #expect(try ModelReference("wardrobe") == .directory(directory))
        #expect(try ModelReference("/nowhere/else") == .directory("/nowhere/else"))
        #expect(try ModelReference("./wardrobe") == .directory("./wardrobe"))
    }

    @Test("A published model has its name and summary from the catalogue")
    func published() throws {
        let reference = try ModelReference("albef-coco")
        let model = reference.named(at: "cache/0123/model")
        #expect(model.name == "albef-coco")
        #expect(
            model.subject == "fine-tuned on COCO; also the zero-shot Flickr30K model, English")
        #expect(try ModelReference("./a").named(at: "./a") == NamedModel("./a"))
    }
}
