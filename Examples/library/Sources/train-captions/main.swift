// Trains a small model on captioned images, and asks it about the first of them:
//
//   swift run -c release train-captions captions.json ../training/small.yaml run
//
// Started again with the same arguments, it resumes a run that was stopped.
import ALBEFTraining
import Foundation
import ImageText
import Retrieval
import SystemPackage

let paths = CommandLine.arguments.dropFirst().map { FilePath($0) }
guard paths.count == 3 else {
    print("usage: train-captions CAPTIONS SETTINGS RUN")
    exit(64)
}
let (captions, file, directory) = (paths[0], paths[1], paths[2])

// The captions' own words, and the settings: a preset, changed by the file, changed here.
let vocabulary = FilePath("\(directory).vocabulary.txt")
var words = WordCounts()
words.add(try CaptionTexts.read(captions))
try VocabularyTrainer(size: 8000).train(on: words).write(to: vocabulary, replacing: true)
var settings = try SettingsFile(preset: "albef")
try settings.apply(file: file)
try settings.apply(assignment: "data.train=['\(captions)']")
try settings.apply(assignment: "model.vocabulary='\(vocabulary)'")

let isBegun = RunDirectory(directory).isBegun
let run = try TrainingRun(directory, settings: isBegun ? nil : settings.configuration()) {
    if case .step(let metrics) = $0 { print("step \(metrics.step): loss \(metrics.loss)") }
}
_ = try await run.run()

// A checkpoint is a model directory, which searches and scores as the models that ship do.
let model = try SearchModel(run.directory.last)
for image in try CaptionDataset(reading: [captions]).images.prefix(1) {
    for score in try model.score(image.path, image.captions) {
        print(score.matchProbability, score.text)
    }
}
