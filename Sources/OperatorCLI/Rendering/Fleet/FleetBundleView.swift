import ControlProtocol

/// A bundle as central has it.
struct FleetBundleView {
    let bundle: JSONValue

    func title(_ palette: Palette) -> String {
        let name = (bundle["name"]?.stringValue ?? "?").escapedForTerminal
        return "\(palette(.heading, name)) \((bundle["version"]?.stringValue ?? "?").escapedForTerminal)"
    }

    private var isSigned: Bool { bundle["signed"] == true }
    private var size: String { ByteText.compact(bundle["size"]?.intValue ?? 0) }

    /// What came of an upload.
    func summary(_ palette: Palette, _ wasThere: Bool) -> String {
        wasThere ? "\(title(palette)) is there already" : "uploaded \(title(palette)), \(size)"
    }

    func lines(_ palette: Palette) -> [String] {
        var table = Table([Table.Column(), Table.Column()])
        func add(_ name: String, _ value: String?, _ style: Style = .plain) {
            guard let value, !value.isEmpty else { return }
            table.add([Table.Cell("  " + name, .faint), Table.Cell(value.escapedForTerminal, style)])
        }
        let description = bundle["description"]
        add("file", bundle["file"]?.stringValue)
        add("size", size)
        add("sha256", bundle["sha256"]?.stringValue)
        add("signed", bundle["detail"]?.stringValue, isSigned ? .good : .caution)
        add("kind", description?["kind"]?.stringValue)
        add("release", description?["release"]?.intValue.map { "\($0)" })
        for key in ["hardware", "architecture"] {
            add(key, description?["requires"]?[key]?.arrayValue?.compactMap(\.stringValue).joined(separator: ", "))
        }
        add("runtime", description?["requires"]?["runtime"]?.stringValue.map { "\($0) at least" })
        let uploaded = ClockText.dateAndTime((bundle["uploaded_ms"]?.doubleValue ?? 0) / 1000)
        add("uploaded", "\(uploaded) by \(bundle["uploaded_by"]?.stringValue ?? "?")")
        return [title(palette)] + table.lines(palette)
    }

    static func table(_ bundles: [JSONValue]) -> Table {
        var table = Table([
            Table.Column("BUNDLE"), Table.Column("VERSION"), Table.Column("RELEASE", .right),
            Table.Column("SIZE", .right), Table.Column("SIGNED"), Table.Column("UPLOADED"), Table.Column("BY"),
            Table.Column("FILE"),
        ])
        for bundle in bundles {
            let view = FleetBundleView(bundle: bundle)
            func text(_ key: String) -> String { (bundle[key]?.stringValue ?? "?").escapedForTerminal }
            table.add([
                Table.Cell(text("name")), Table.Cell(text("version")),
                Table.Cell("\(bundle["description"]?["release"]?.intValue ?? 0)"), Table.Cell(view.size),
                Table.Cell(view.isSigned ? "yes" : "no", view.isSigned ? .good : .caution),
                Table.Cell(ClockText.dateAndTime((bundle["uploaded_ms"]?.doubleValue ?? 0) / 1000)),
                Table.Cell(text("uploaded_by")), Table.Cell(text("file"), .faint),
            ])
        }
        return table
    }
}
