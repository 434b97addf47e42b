/// Mixes the order of a stream with a limited amount of memory.
///
/// The buffer is filled from the stream. Then each element that leaves is drawn at random, and the
/// next of the stream takes its place. Which elements leave, by their numbers in the stream, depends
/// only on the generator, the capacity and the length of the stream.
struct ShuffleBuffer<Element> {
    private let capacity: Int
    private(set) var slots: [Element] = []
    private var random: SplitMix64
    private var isDry = false

    /// Creates an empty buffer.
    ///
    /// - Parameter capacity: The number of elements to draw from; 1 keeps the order.
    init(capacity: Int, random: SplitMix64) {
        precondition(capacity > 0)
        self.capacity = capacity
        self.random = random
    }

    /// Returns an element at random, or `nil` if the buffer and the stream are empty.
    ///
    /// - Parameter source: Returns the next element of the stream, `nil` at its end.
    mutating func next(from source: () throws -> Element?) rethrows -> Element? {
        while slots.count < capacity, let element = try take(source) { slots.append(element) }
        guard !slots.isEmpty else { return nil }
        let place = random.integer(below: slots.count)
        if let element = try take(source) {
            defer { slots[place] = element }
            return slots[place]
        }
        slots.swapAt(place, slots.count - 1)
        return slots.removeLast()
    }

    /// Returns a buffer with other elements in the same places.
    func compactMap<Other>(_ change: (Element) throws -> Other?) rethrows -> ShuffleBuffer<Other> {
        var other = ShuffleBuffer<Other>(capacity: capacity, random: random)
        other.slots = try slots.compactMap(change)
        other.isDry = isDry
        return other
    }

    private mutating func take(_ source: () throws -> Element?) rethrows -> Element? {
        guard !isDry else { return nil }
        let element = try source()
        isDry = element == nil
        return element
    }
}

extension ShuffleBuffer<Int> {
    /// Finds out, by numbers alone, what a buffer has when some elements have left it.
    ///
    /// - Parameters:
    ///   - left: The number of elements that have left.
    ///   - length: The length of the stream.
    /// - Returns: The buffer, the number of elements that were taken from the stream, and the
    ///   number that have left, which is smaller than `left` if the stream is shorter.
    /// - Complexity: O(`left` + `capacity`).
    static func replay(
        _ left: Int, ofStream length: Int, capacity: Int, random: SplitMix64
    ) -> (buffer: Self, taken: Int, left: Int) {
        var buffer = Self(capacity: capacity, random: random)
        var taken = 0
        var done = 0
        while done < left {
            let element = buffer.next {
                guard taken < length else { return nil }
                defer { taken += 1 }
                return taken
            }
            guard element != nil else { break }
            done += 1
        }
        return (buffer, taken, done)
    }
}

extension ShuffleBuffer: Sendable where Element: Sendable {}
