import Supervision

/// `[[supervisor]]`.
enum SupervisorSchema {
    private static let standard = SupervisorSpecification(name: "")

    /// What a supervisor does when its intensity would be exceeded, as one word.
    enum Reaction: String, CaseIterable, Sendable {
        case park
        case escalate
    }

    static let name = Setting.required(
        "name", .childName,
        "Unique among all supervisors and workers; `root`, `system` and what begins with `holdfast-` are taken.")
    static let parent = Setting.optional(
        "parent", .childName, default: SupervisorSpecification.rootName, "The supervisor that it is a child of.",
        misnomers: ["supervisor"])
    static let strategy = Setting.optional(
        "strategy", .choice(RestartStrategy.self), default: standard.strategy,
        "Who is restarted along with a failed child: nobody, all its siblings, or those declared after it.")
    static let maxRestarts = Setting.optional(
        "max_restarts", .integer(0...10_000), default: standard.intensity.maxRestarts,
        "How many restarts of its children `within` may see.", misnomers: ["intensity"])
    static let within = Setting.optional(
        "within", .duration(.seconds(1)...(.seconds(86_400))), default: standard.intensity.within,
        "The period over which restarts are counted.", misnomers: ["period"])
    static let onIntensityExceeded = Setting.optional(
        "on_intensity_exceeded", .choice(Reaction.self), default: .park,
        "`park` stops all children and tries them again after `retry_after`; `escalate` makes the supervisor fail, so "
            + "that its parent's strategy decides.")
    static let retryAfter = Setting.optional(
        "retry_after", .duration(.seconds(1)...(.seconds(86_400 * 7)), or: "never"), default: .seconds(300),
        "When a parked supervisor starts its children again. Has no place beside `escalate`.")

    static let table = TableSchema(
        "supervisor", occurrence: .repeated,
        settings: [
            name.description, parent.description, strategy.description, maxRestarts.description, within.description,
            onIntensityExceeded.description, retryAfter.description,
        ])
}
