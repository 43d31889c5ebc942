@testable import DeviceConfiguration

extension Configuration {
    /// Reads one text as "t.toml", for a machine called "device".
    static func read(
        _ text: String, variables: [(String, String)] = [], explains: Bool = false
    ) -> ConfigurationReport {
        read(
            [ConfigurationSource(file: "t.toml", bytes: Array(text.utf8))],
            variables: variables.map { ConfigurationVariable(name: $0.0, value: Array($0.1.utf8)) },
            hostName: "device", explains: explains)
    }
}
