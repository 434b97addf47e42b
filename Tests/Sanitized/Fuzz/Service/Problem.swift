/// Stands for the service's error, which needs the web framework.
struct Problem: Error {
    enum Kind { case invalidRequest }

    let detail: String

    init(_ kind: Kind, _ detail: String) { self.detail = detail }
}
