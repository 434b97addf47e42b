import Storage

/// A TensorBoard event: the fields of the message `tensorflow.Event` that runs use.
struct Event: Sendable {
    enum Content: Sendable {
        /// The version of the format, which is the first event of a file.
        case version
        /// Values with their tags.
        case scalars([(tag: String, value: Double)])
        /// Markdown with a tag, as the `text` plugin shows it.
        case text(tag: String, String)
        /// The start of a session: TensorBoard discards what earlier files contain for this step
        /// and later.
        case sessionStart
    }

    /// Seconds since 1970.
    let wallTime: Double
    let step: Int
    let content: Content

    /// The bytes of the message, with fields ordered by number and defaults omitted.
    var bytes: [UInt8] {
        var event = ProtobufWriter()
        event.double(1, wallTime)
        if step != 0 { event.integer(2, step) }
        switch content {
        case .version:
            event.string(3, "brain.Event:2")
        case .scalars(let values):
            event.message(5) { summary in
                for (tag, value) in values {
                    summary.message(1) {
                        $0.string(1, tag)
                        $0.float(2, Float(value))
                    }
                }
            }
        case .text(let tag, let text):
            event.message(5) { summary in
                summary.message(1) { Self.text(text, tag: tag, into: &$0) }
            }
        case .sessionStart:
            event.message(7) { $0.integer(1, 1) }
        }
        return event.bytes
    }

    /// Writes a `Summary.Value` that contains a tensor with one string.
    private static func text(_ text: String, tag: String, into value: inout ProtobufWriter) {
        value.string(1, tag)
        value.message(8) { tensor in
            tensor.integer(1, 7)  // DT_STRING
            tensor.message(2) { shape in shape.message(2) { $0.integer(1, 1) } }
            tensor.string(8, text)
        }
        value.message(9) { metadata in
            metadata.message(1) { $0.string(1, "text") }
            metadata.integer(4, 2)  // DATA_CLASS_TENSOR
        }
    }

    /// The event as a TFRecord: the length, its checksum, the message and its checksum.
    var record: [UInt8] {
        let message = bytes
        let length = UInt64(message.count).littleEndianBytes
        return length + CRC32C.masked(length).littleEndianBytes + message
            + CRC32C.masked(message).littleEndianBytes
    }
}
