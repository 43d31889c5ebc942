@testable import Configuration

extension Configuration {
    /// Reads one text as "t.toml", for a machine called "device".
    static func read(_ text: String) -> ConfigurationReport {
        read([ConfigurationSource(file: "t.toml", bytes: Array(text.utf8))], hostName: "device")
    }
}
