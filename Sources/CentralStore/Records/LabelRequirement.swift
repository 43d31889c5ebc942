/// One part of a label selector: `site=plant-1`, `site!=plant-1`, `site` (there at all) or `!site` (not there).
package struct LabelRequirement: Equatable, Sendable {
    package enum Relation: Equatable, Sendable {
        case equals(String)
        /// Also true where there is no such label.
        case differs(String)
        case exists
        case isMissing
    }

    package var key: String
    package var relation: Relation

    package init(key: String, _ relation: Relation) {
        self.key = key
        self.relation = relation
    }

    /// - Parameter selector: requirements with commas in between, all of which have to hold; empty is any device.
    /// - Throws: `StoreError` of the code `conflict`, in words for whoever wrote it.
    package static func parse(_ selector: String) throws(StoreError) -> [LabelRequirement] {
        var requirements: [LabelRequirement] = []
        for part in selector.split(separator: ",", omittingEmptySubsequences: true) {
            let text = String(part.drop { $0 == " " })
            let requirement: LabelRequirement
            if let mark = text.firstIndex(of: "=") {
                let value = String(text[text.index(after: mark)...].drop { $0 == "=" })
                let key = text[..<mark]
                requirement =
                    key.last == "!"
                    ? .init(key: String(key.dropLast()), .differs(value)) : .init(key: String(key), .equals(value))
            } else if text.first == "!" {
                requirement = .init(key: String(text.dropFirst()), .isMissing)
            } else {
                requirement = .init(key: text, .exists)
            }
            guard !requirement.key.isEmpty, requirements.count < 16 else {
                throw StoreError(
                    .conflict,
                    "'\(selector)' is no label selector: write key=value, key!=value, key or !key, with commas")
            }
            requirements.append(requirement)
        }
        return requirements
    }
}
