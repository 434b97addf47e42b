import ImageText
import SystemPackage
import Torch

/// A field that every entry has, in addition to its metadata.
///
/// Filters and orders name fields like metadata. Metadata with the same name takes precedence.
public enum EntryField: String, Sendable, Hashable, CaseIterable {
    /// The time at which the image was taken: `2020-06-14T12:34:56`.
    case date
    /// The size of the upright image in pixels.
    case width, height
    /// The orientation: `landscape`, `portrait` or `square`.
    case orientation
    case camera, lens
    /// The place in degrees north and east.
    case latitude, longitude
    /// The size of the file in bytes.
    case size
    /// The path of the folder that contains the file.
    case folder
}

/// A value that filters compare.
enum FieldValue: Sendable, Hashable {
    /// Metadata, a number, or the text of a field.
    case plain(MetadataValue)
    /// A date, which is compared with the precision that a filter gives.
    case date(String)
    /// A folder, which is also inside all folders above it.
    case folder(String)

    /// The text by which to order, or nil if the value is not a text.
    var text: String? {
        switch self {
        case .plain(.text(let text)), .date(let text), .folder(let text): text
        case .plain: nil
        }
    }

    /// The approximate number of bytes that the value takes in memory.
    var byteCount: Int {
        switch self {
        case .plain(.number), .plain(.flag): 80
        case .plain(.text(let text)), .date(let text), .folder(let text): 80 + 2 * text.utf8.count
        case .plain(.list(let list)): list.reduce(80) { $0 + 32 + 2 * $1.utf8.count }
        }
    }
}

extension IndexEntry {
    /// Returns the value that a name stands for in filters, or nil if the entry has none.
    func value(_ name: String) -> FieldValue? {
        if let given = metadata[name] { return .plain(given) }
        return EntryField(rawValue: name).flatMap { field in
            Self.value(field, folder: folder, size: size, about: about)
        }
    }

    /// The path of the folder that contains the file.
    public var folder: String { path.removingLastComponent().string }

    /// Returns the value of a field.
    static func value(
        _ field: EntryField, folder: String, size: Int, about: ImageFacts?
    ) -> FieldValue? {
        func number(_ number: (some BinaryInteger)?) -> FieldValue? {
            number.map { .plain(.number(Double($0))) }
        }
        return switch field {
        case .date: about?.date.map { .date($0) }
        case .width: number(about?.width)
        case .height: number(about?.height)
        case .orientation: (about?.orientation?.rawValue).map { .plain(.text($0)) }
        case .camera: about?.camera.map { .plain(.text($0)) }
        case .lens: about?.lens.map { .plain(.text($0)) }
        case .latitude: about?.latitude.map { .plain(.number($0)) }
        case .longitude: about?.longitude.map { .plain(.number($0)) }
        case .size: number(size)
        case .folder: .folder(folder)
        }
    }
}
