internal import CImaging

/// A buffer for the error message of a C function.
struct CMessage {
    /// The zero-terminated characters.
    var characters = [CChar](repeating: 0, count: Int(IMAGING_MESSAGE_SIZE))

    /// The message.
    var text: String {
        String(decoding: characters.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
