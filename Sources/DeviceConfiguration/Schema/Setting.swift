/// One key of the configuration, declared once: validation, suggestions and the reference page all use this.
struct Setting<Value: Sendable>: Sendable {
    /// What holds when the key is absent.
    enum Absence: Sendable {
        /// The key must be there.
        case refused
        case value(Value)
        /// Depends on something else, in the words of the reference.
        case described(String)
    }

    let name: String
    let type: SettingType<Value>
    let absence: Absence
    let meaning: String
    /// What people who know other tools may call it, for suggestions.
    let misnomers: [String]

    private init(
        _ name: String, _ type: SettingType<Value>, _ absence: Absence, _ meaning: String, _ misnomers: [String]
    ) {
        self.name = name
        self.type = type
        self.absence = absence
        self.meaning = meaning
        self.misnomers = misnomers
    }

    static func required(
        _ name: String, _ type: SettingType<Value>, _ meaning: String, misnomers: [String] = []
    ) -> Setting {
        Setting(name, type, .refused, meaning, misnomers)
    }

    static func optional(
        _ name: String, _ type: SettingType<Value>, default value: Value, _ meaning: String, misnomers: [String] = []
    ) -> DefaultedSetting<Value> {
        DefaultedSetting(setting: Setting(name, type, .value(value), meaning, misnomers), fallback: value)
    }

    static func optional(
        _ name: String, _ type: SettingType<Value>, otherwise words: String, _ meaning: String,
        misnomers: [String] = []
    ) -> Setting {
        Setting(name, type, .described(words), meaning, misnomers)
    }

    /// The setting without its type.
    var description: SettingDescription {
        let absent =
            switch absence {
            case .refused: "required"
            case .value(let value): "`\(TOMLText.value(type.write(value)))`"
            case .described(let words): words
            }
        return SettingDescription(
            name: name, type: type.allowed, form: type.form, absent: absent, meaning: meaning, misnomers: misnomers)
    }
}

/// A setting with a default of its own.
struct DefaultedSetting<Value: Sendable>: Sendable {
    let setting: Setting<Value>
    let fallback: Value

    var description: SettingDescription { setting.description }
}

/// What the reference and the suggestions need to know of a setting.
struct SettingDescription: Sendable {
    var name: String
    /// The values that are allowed, in words.
    var type: String
    var form: OverrideForm
    /// What holds when the key is absent, in the words of the reference.
    var absent: String
    var meaning: String
    var misnomers: [String]

    /// The setting's row in the reference.
    var referenceRow: String {
        let cells = ["`\(name)`", type, absent, meaning].map { $0.replacing("|", with: "\\|") }
        return "| " + cells.joined(separator: " | ") + " |"
    }
}
