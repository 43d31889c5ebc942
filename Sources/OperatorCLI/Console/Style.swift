/// What a piece of text says about its subject, and so its colour.
enum Style: Equatable, Sendable {
    case plain
    case heading
    case good
    /// On its way to being good.
    case active
    /// Someone may want to look.
    case caution
    case bad
    /// Less important than what stands beside it.
    case faint

    /// The parameters of SGR (ECMA-48, 8.3.117).
    fileprivate var parameters: String {
        switch self {
        case .plain: "0"
        case .heading: "1"
        case .good: "32"
        case .active: "36"
        case .caution: "33"
        case .bad: "31"
        case .faint: "2"
        }
    }
}

/// Turns styles into colours, or leaves text as it is.
struct Palette: Equatable, Sendable {
    var hasColour: Bool

    static let plain = Palette(hasColour: false)
    static let coloured = Palette(hasColour: true)

    func callAsFunction(_ style: Style, _ text: String) -> String {
        guard hasColour, style != .plain, !text.isEmpty else { return text }
        return "\u{1b}[\(style.parameters)m\(text)\u{1b}[0m"
    }
}
