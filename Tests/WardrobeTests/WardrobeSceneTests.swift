import Foundation
import ImageText
import Testing
import Wardrobe

@Suite("Wardrobe scenes")
struct WardrobeSceneTests {
    private let generator = WardrobeGenerator(seed: 1)

    @Test("Equal seeds give equal scenes, on every platform")
    func deterministic() throws {
        let scenes = (0..<200).map { generator.scene($0) }
        #expect(scenes == (0..<200).map { WardrobeGenerator(seed: 1).scene($0) })
        #expect(scenes != (0..<200).map { WardrobeGenerator(seed: 2).scene($0) })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let text = String(decoding: try encoder.encode(scenes), as: UTF8.self)
        #expect(Fingerprint.of(text) == "e63150b5095ed09")
    }

    @Test("A scene has one to four people from left to right, and at most one small thing")
    func contents() {
        var counts: Set<Int> = []
        for index in 0..<500 {
            let scene = generator.scene(index)
            counts.insert(scene.people.count)
            #expect(scene.people.map(\.x) == scene.people.map(\.x).sorted())
            #expect(scene.props.count { $0.colour != nil } <= 1)
            for prop in scene.props {
                #expect((prop.colour != nil) == WardrobeScene.Prop.Kind.small.contains(prop.kind))
            }
        }
        #expect(counts == [1, 2, 3, 4])
        let single = WardrobeGenerator(seed: 1, settings: .init(people: 1...1))
        #expect((0..<50).allSatisfy { single.scene($0).people.count == 1 })
    }

    @Test("Small things are large in the first lesson, and half as large otherwise")
    func nearThings() {
        func sizes(_ generator: WardrobeGenerator) -> [Double] {
            (0..<100).compactMap { generator.scene($0).smallProp?.size }
        }
        let near = sizes(WardrobeGenerator(seed: 1, settings: .single))
        #expect(near.count > 60 && near.allSatisfy { $0 >= 0.24 })
        let usual = sizes(generator)
        #expect(usual.count > 30 && usual.allSatisfy { $0 <= 0.17 })
    }

    @Test("One order of two colours is common and its mirror rare; no colour reveals which")
    func frequencies() {
        let colours = WardrobeColour.allCases
        #expect(OutfitFrequencies.common.count == colours.count * (colours.count - 1) / 2)
        #expect(Set(OutfitFrequencies.common).isDisjoint(with: OutfitFrequencies.rare))
        #expect(OutfitFrequencies.common.contains(.init(top: .white, trousers: .black)))
        #expect(OutfitFrequencies.isRare(.init(top: .black, trousers: .white)))
        for colour in colours {
            let over = OutfitFrequencies.common.count { $0.top == colour }
            let below = OutfitFrequencies.common.count { $0.trousers == colour }
            #expect(abs(over - below) <= 1)
        }
        let people = (0..<4000).flatMap { generator.scene($0).people }
        let outfits = people.map { WardrobeOutfit(top: $0.top, trousers: $0.bottom.colour) }
        let rare = Double(outfits.count { OutfitFrequencies.isRare($0) }) / Double(outfits.count)
        #expect(abs(rare - OutfitFrequencies.rareShare) < 0.01)
    }

    @Test("The takes of a shoot differ in clothes or the small thing, outfits as rare as elsewhere")
    func takes() {
        let generator = WardrobeGenerator(seed: 1, settings: .init(takes: 4))
        var people: [WardrobeScene.Person] = []
        var otherThings = 0
        for shoot in 0..<1000 {
            let scenes = (0..<4).map { generator.scene(4 * shoot + $0) }
            #expect(scenes[0] == self.generator.scene(shoot))
            let told = scenes.map {
                $0.people.map { "\($0.top) \($0.bottom)" } + [$0.smallProp.map { "\($0)" } ?? ""]
            }
            #expect(Set(told).count == 4)
            for scene in scenes {
                // Never both at once, so that captions depend on one of them.
                #expect(
                    scene.smallProp == scenes[0].smallProp || scene.people == scenes[0].people)
                otherThings += scene.smallProp == scenes[0].smallProp ? 0 : 1
                #expect(scene.backdrop == scenes[0].backdrop)
                #expect(scene.people.map(\.x) == scenes[0].people.map(\.x))
                people += scene.people
            }
        }
        // Half of the shoots have a small thing, and a quarter of their 3 later takes change it.
        #expect((300...450).contains(otherThings), "\(otherThings)")
        let outfits = people.map { WardrobeOutfit(top: $0.top, trousers: $0.bottom.colour) }
        let rare = Double(outfits.count { OutfitFrequencies.isRare($0) }) / Double(outfits.count)
        #expect(abs(rare - OutfitFrequencies.rareShare) < 0.02, "\(rare)")
    }

    @Test("Takes that vary things differ in a small thing's kind or colour alone")
    func thingTakes() {
        let generator = WardrobeGenerator(
            seed: 1, settings: .init(takes: 16, variesThings: true))
        var (kinds, colours) = (0, 0)
        for shoot in 0..<100 {
            let scenes = (0..<16).map { generator.scene(16 * shoot + $0) }
            let things = scenes.compactMap(\.smallProp)
            #expect(things.count == 16 && Set(things.map { "\($0)" }).count == 16)
            for scene in scenes {
                #expect(scene.people == scenes[0].people && scene.backdrop == scenes[0].backdrop)
            }
            // The second take is one step from the first.
            kinds += things[0].kind == things[1].kind ? 0 : 1
            colours += things[0].colour == things[1].colour ? 0 : 1
        }
        #expect(kinds + colours == 100)
        #expect((30...60).contains(kinds), "\(kinds)")
    }

    @Test("A scene meets its requirement and does not show the mirror")
    func requirements() {
        for (index, outfit) in OutfitFrequencies.rare.enumerated() {
            for number in 0..<20 {
                let scene = generator.scene(index * 20 + number, with: .outfit(outfit))
                #expect(scene.shows(outfit) && !scene.shows(outfit.mirror))
            }
        }
        let thing = WardrobeThing(kind: .duck, colour: .yellow)
        for index in 0..<50 { #expect(generator.scene(index, with: .thing(thing)).shows(thing)) }
    }

    @Test("Queries are worded as people type them")
    func queries() {
        let outfit = WardrobeOutfit(top: .black, trousers: .white)
        #expect(outfit.text(in: .chinese) == "黑色上衣白色裤子")
        #expect(outfit.text(in: .english) == "black top and white trousers")
        let thing = WardrobeThing(kind: .duck, colour: .yellow)
        #expect(thing.text(in: .english) == "yellow toy duck")
        #expect(thing.text(in: .chinese) == "黄色玩具鸭")
    }

    @Test("An image shows the colours that the scene names")
    func image() throws {
        var scene = generator.scene(0)
        var person = scene.people[0]
        (person.top, person.bottom) = (.red, .init(kind: .trousers, colour: .blue))
        (person.hat, person.bag, person.posture) = (nil, nil, .standing)
        (person.x, person.y, person.height) = (0.5, 0.9, 0.8)
        scene.people = [person]
        scene.props = []
        scene.backdrop.light = 0
        scene.backdrop.warmth = 0
        let side = 200
        let image = try scene.image(side: side)
        #expect(image.width == side && image.height == side)
        func pixel(_ x: Double, _ y: Double) -> [Int] {
            let offset = (Int(y * Double(side)) * side + Int(x * Double(side))) * 3
            return image.pixels[offset..<offset + 3].map(Int.init)
        }
        #expect(pixel(0.5, 0.9 - 0.65 * 0.8) == [208, 32, 40])
        #expect(pixel(0.5 - 0.05, 0.9 - 0.3 * 0.8) == [38, 84, 196])
    }
}

/// A hash of a text (FNV-1a).
enum Fingerprint {
    static func of(_ text: String) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return String(hash, radix: 16)
    }
}
