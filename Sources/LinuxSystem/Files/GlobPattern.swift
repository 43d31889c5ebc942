import Glibc

/// A pattern of names with `*`, `?` and `[...]` (glob(7)); `*` matches slashes too.
package struct GlobPattern: Equatable, Sendable {
    private let text: String

    package init(_ text: String) {
        self.text = text
    }

    package func matches(_ name: String) -> Bool { fnmatch(text, name, 0) == 0 }
}
