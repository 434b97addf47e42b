// Computes training steps for a comparison with the Python implementations.
//
//     reference-values MODEL_DIRECTORY FIXED.safetensors
//     reference-values MODEL_DIRECTORY --steps GIVEN.safetensors AFTER.safetensors
//
// The first form draws a batch and all choices, and writes them with the model's features and
// losses, for reference_check.py. The second reads inputs and choices from a file, makes optimizer
// steps, and writes losses, gradients and weights. GivenSteps.swift describes both files of the
// second form.

import ALBEF
import Foundation
import SystemPackage
import Torch

let arguments = CommandLine.arguments.dropFirst().map { $0 }
switch (arguments.count, arguments.dropFirst().first) {
case (2, _):
    try writeDrawnBatch(of: FilePath(arguments[0]), to: FilePath(arguments[1]))
case (4, "--steps"):
    try GivenSteps(FilePath(arguments[2])).run(FilePath(arguments[0]), to: FilePath(arguments[3]))
default:
    print("usage: reference-values MODEL_DIRECTORY FIXED.safetensors")
    print("       reference-values MODEL_DIRECTORY --steps GIVEN.safetensors AFTER.safetensors")
    exit(2)
}
