import ALBEFTraining
import Testing

@Suite("The scale of the loss")
struct LossScalerTests {
    @Test("An overflow leaves the step out and halves the scale")
    func overflow() {
        var scaler = LossScaler(isDynamic: true)
        #expect(scaler.scale == 65_536)
        #expect(scaler.update(gradientsAreFinite: false) == .skip)
        #expect(scaler.scale == 32_768 && scaler.goodSteps == 0)
        #expect(scaler.update(gradientsAreFinite: true) == .take)
        #expect(scaler.scale == 32_768 && scaler.goodSteps == 1)
        #expect(scaler.update(gradientsAreFinite: false) == .skip)
        #expect(scaler.scale == 16_384 && scaler.goodSteps == 0)
    }

    @Test("2,000 steps without an overflow double the scale, wherever the run was stopped")
    func growth() {
        var scaler = LossScaler(isDynamic: true, scale: 1024)
        for _ in 0..<1_999 { #expect(scaler.update(gradientsAreFinite: true) == .take) }
        #expect(scaler.scale == 1024)
        var resumed = LossScaler(
            isDynamic: true, scale: scaler.scale, goodSteps: scaler.goodSteps)
        for _ in 0..<2 { #expect(resumed.update(gradientsAreFinite: true) == .take) }
        #expect(resumed.scale == 2048 && resumed.goodSteps == 1)
    }

    @Test("Where the scale is 1 already, gradients that are not finite stop the run")
    func floor() {
        var scaler = LossScaler(isDynamic: true, scale: 2)
        #expect(scaler.update(gradientsAreFinite: false) == .skip)
        #expect(scaler.scale == 1)
        #expect(scaler.update(gradientsAreFinite: false) == .stop)
        #expect(scaler.scale == 1)
        #expect(scaler.update(gradientsAreFinite: true) == .take)
    }

    @Test("The other precisions have a scale of 1, and never leave a step out")
    func fixed() {
        var scaler = LossScaler(isDynamic: false, scale: 4096)
        #expect(scaler.scale == 1)
        for _ in 0..<2_001 { #expect(scaler.update(gradientsAreFinite: true) == .take) }
        #expect(scaler.scale == 1)
        #expect(scaler.update(gradientsAreFinite: false) == .stop)
    }
}
