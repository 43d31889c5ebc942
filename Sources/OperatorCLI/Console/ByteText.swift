/// An amount of memory or disk, as short as it can be understood.
enum ByteText {
    /// In powers of 1024.
    static func compact(_ value: Int) -> String {
        let units = ["B", "K", "M", "G"]
        var amount = Double(max(0, value))
        var unit = 0
        while amount >= 1000, unit < units.count - 1 {
            amount /= 1024
            unit += 1
        }
        let tenths = Int(amount * 10)
        return unit > 0 && amount < 10 ? "\(tenths / 10).\(tenths % 10)\(units[unit])" : "\(Int(amount))\(units[unit])"
    }
}
