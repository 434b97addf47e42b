import ImageText
import SystemPackage
import Torch

/// A field that every image has, whatever else somebody noted of it.
///
/// Conditions and orders name them beside the metadata. Metadata of the same name comes first.
public enum EntryField: String, Sendable, Hashable, CaseIterable {
    /// When it was taken: `2020-06-14T12:34:56`.
    case date
    /// Pixels of the upright image.
    case width, height
    /// `landscape`, `portrait` or `square`.
    case orientation
    case camera, lens
    /// Degrees north and east.
    case latitude, longitude
    /// Bytes of the file.
    case size
    /// The path of the folder that the file is in.
    case folder
}

/// A value that conditions are compared with.
enum FieldValue: Sendable, Hashable {
    /// Metadata, a number, or a text of a field.
    case plain(MetadataValue)
    /// A date, which is compared as precisely as a condition gives it.
    case date(String)
    /// A folder, which also lies in those above it.
    case folder(String)

    /// The text to order by; nil if it is not of a text.
    var text: String? {
        switch self {
        case .plain(.text(let text)), .date(let text), .folder(let text): text
        case .plain: nil
        }
    }

    /// About the bytes of keeping it once.
    var byteCount: Int {
        switch self {
        case .plain(.number), .plain(.flag): 80
        case .plain(.text(let text)), .date(let text), .folder(let text): 80 + 2 * text.utf8.count
        case .plain(.list(let list)): list.reduce(80) { $0 + 32 + 2 * $1.utf8.count }
        }
    }
}

extension IndexEntry {
    /// The value that a name stands for in conditions; nil if this entry has none.
    func value(_ name: String) -> FieldValue? {
        if let given = metadata[name] { return .plain(given) }
        return EntryField(rawValue: name).flatMap { field in
            Self.value(field, folder: folder, size: size, about: about)
        }
    }

    /// The path of the folder that the file is in.
    public var folder: String { path.removingLastComponent().string }

    /// The value of a field.
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
