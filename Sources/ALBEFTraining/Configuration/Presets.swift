/// The configurations that come with the project.
public enum Presets {}
