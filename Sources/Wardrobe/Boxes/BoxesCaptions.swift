import ImageText

/// What captions say about one image of boxes with shapes: texts to pretrain a model on, before it
/// learns the statements of a ``BoxesTask``.
extension BoxesScene {
    /// Draws the captions of the image: a description of all boxes, and twice three facts.
    ///
    /// - Parameter random: The source of random numbers.
    func captions(_ random: inout SplitMix64) -> [String] {
        [description, threeFacts(&random), threeFacts(&random)]
    }

    /// The shapes of each box, row by row: "upper left: red star and blue ball, upper right: …".
    var description: String {
        zip(["upper left", "upper right", "lower left", "lower right"], boxes).map { name, box in
            let items = box.compactMap(\.self).map { "\($0.colour.rawValue) \($0.shape.rawValue)" }
            return "\(name): \(items.joined(separator: " and "))"
        }.joined(separator: ", ")
    }

    /// Draws three kinds of facts, and one true statement of each.
    private func threeFacts(_ random: inout SplitMix64) -> String {
        var kinds = [numbers, boxNumbers, companions, uppers, lefts].filter { !$0.isEmpty }
        random.shuffle(&kinds)
        return kinds.prefix(3).map { random.element(of: $0).text }.joined(separator: ", ")
    }

    private var kindsOfItems: [Item] {
        var seen: Set<Item> = []
        return items.filter { seen.insert($0).inserted }
    }

    private var numbers: [BoxesStatement.Content] {
        kindsOfItems.compactMap { item in
            let number = items.count { $0 == item }
            return number < SceneText.numbers.count ? .number(number, item) : nil
        }
    }

    private var boxNumbers: [BoxesStatement.Content] {
        kindsOfItems.map { item in .boxes(boxes.count { $0.contains(item) }, item) }
    }

    private var companions: [BoxesStatement.Content] {
        pairs { _, _ in true }.map { .together($0, $1) }
    }

    private var uppers: [BoxesStatement.Content] {
        pairs { Self.upper.contains($0) && Self.lower.contains($1) }.map { .above($0, $1) }
    }

    private var lefts: [BoxesStatement.Content] {
        pairs { Self.left.contains($0) && Self.right.contains($1) }.map { .leftOf($0, $1) }
    }

    /// Returns the different shapes that share a box, and whose places fulfil a condition.
    private func pairs(_ isFitting: (Int, Int) -> Bool) -> [(Item, Item)] {
        boxes.flatMap { box in
            box.indices.flatMap { one in
                box.indices.compactMap { other in
                    guard let first = box[one], let second = box[other], first != second,
                        isFitting(one, other)
                    else { return nil }
                    return (first, second)
                }
            }
        }
    }
}
