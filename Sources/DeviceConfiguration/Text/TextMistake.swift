/// What is wrong with a text that should have been a duration or a size; the reader adds what is allowed.
struct TextMistake: Error, Equatable, Sendable {
    var reason: String
}
