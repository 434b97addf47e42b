// Measures parts of this project on request.
//
//     measure                     answers requests, one JSON object per line of standard input
//     measure REQUEST ...         answers the given requests and ends
//     measure nothing             ends at once: what it costs to load libtorch
//
// Benchmarks/README.md describes the requests. Every request has an answer, which is one line: the
// figures, or the error.

import Foundation
import Torch

let arguments = CommandLine.arguments.dropFirst()
if arguments.first == "nothing" {
    // A call into libtorch, so that the linker cannot leave the library out.
    // Ends as `albef` does, without the handlers of the libraries.
    _exit(libtorchVersion.isEmpty ? 1 : 0)
}

shareProcessors()  // as `albef` does
let laboratory = Laboratory()

let requests =
    arguments.isEmpty ? AnyIterator { readLine() } : AnyIterator(arguments.makeIterator())
for request in requests {
    // Written without a buffer: the other side waits for this line.
    try FileHandle.standardOutput.write(contentsOf: laboratory.answer(request).line)
}
laboratory.close()
