import ALBEFTraining
import Testing

@Suite("Presets")
struct PresetTests {}
