public import ALBEF
public import ArgumentParser
import CommandSupport
import Retrieval

/// The options that choose the attention of a heat map.
struct HeatMapOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The score whose gradient weighs the attention: itm, the match by the fusion encoder, "
                + "or itc, the similarity by the image encoder; default: itm.",
            valueName: "score"))
    var mode: GradCAMMode?

    @Option(
        help: ArgumentHelp(
            "The layer whose attention to use, counted from 0; default for itm: the third layer "
                + "that reads images (8 of the paper's 12), but at most the last but one; for itc: "
                + "the last of the image encoder.",
            valueName: "n"))
    var layer: Int?

    func validate() throws { try NumberBounds.check("--layer", layer, 0...1000) }

    /// The mode that was named, or else ITM.
    var chosenMode: GradCAMMode { mode ?? .itm }

    /// Returns the chosen layer of a model.
    ///
    /// - Throws: `ALBEFError` if the model has no such layer; a `ValidationError` by ITM if it was
    ///   not trained to match.
    func layer(of model: SearchModel) throws -> GradCAMLayer {
        try check(model, chosenMode)
        return try model.model.configuration.gradCAMLayer(chosenMode, layer)
    }

    /// Returns the layers of a model by the named mode, or by both; a mode that the model cannot do
    /// is left out with a note.
    ///
    /// - Throws: As ``layer(of:)``, if no layer is left or the named mode is not possible.
    func layers(of model: SearchModel) throws -> [GradCAMLayer] {
        let configuration = model.model.configuration
        func layers(_ mode: GradCAMMode) throws -> [GradCAMLayer] {
            try check(model, mode)
            return try configuration.gradCAMLayers(mode).map {
                try configuration.gradCAMLayer(mode, $0)
            }
        }
        if let mode { return try layers(mode) }
        var found: [GradCAMLayer] = []
        var faults: [any Error] = []
        for mode in GradCAMMode.allCases {
            do { found += try layers(mode) } catch {
                Console.note("note: the layers by \(mode.rawValue) are left out: \(error)")
                faults.append(error)
            }
        }
        if found.isEmpty, let fault = faults.first { throw fault }
        return found
    }

    private func check(_ model: SearchModel, _ mode: GradCAMMode) throws {
        guard mode == .itc || model.matches else {
            throw ValidationError(
                "this model was not trained to match images with texts, so it has no match to"
                    + " follow; use --mode itc, or another model.")
        }
    }
}

extension GradCAMMode: ExpressibleByArgument {}
