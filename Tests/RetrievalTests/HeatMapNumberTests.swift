import ImageText
import Retrieval
import Testing

@Suite struct HeatMapNumberTests {
    @Test(
        "A map with values that are not finite, as of a model that diverged, is drawn",
        arguments: [Float.nan, .infinity, -.infinity, -1, .greatestFiniteMagnitude])
    func anyNumber(_ value: Float) {
        let image = RGBImage(width: 4, height: 4, pixels: [UInt8](repeating: 7, count: 48))
        for values in [[value, 0, 1, 0.5], [value, value, value, value]] {
            let map = HeatMap(width: 2, height: 2, values: values)
            #expect(map.values.allSatisfy { $0.isFinite && $0 >= 0 })
            for strength in [1, value] {
                let drawn = HeatMapRenderer().overlay(map, on: image, strength: strength)
                #expect(drawn.width == 4 && drawn.pixels.count == 48)
            }
        }
    }
}
