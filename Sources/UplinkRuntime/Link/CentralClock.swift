import LinuxSystem

/// Central's clock as far as it is known here, and the time before which this device's clock is certainly wrong.
struct CentralClock {
    /// To be added to this device's clock for central's, in milliseconds.
    private(set) var offset: Int64?
    /// In milliseconds since 1970: no clock that is right shows less.
    private(set) var floor: Int64

    init(floor: Int64) {
        self.floor = max(floor, BuildTime.seconds * 1000)
    }

    /// This device's clock as it is, in milliseconds since 1970.
    static var now: Int64 { BootClock.wallMilliseconds }

    /// In seconds since 1970, by central's clock where it is known.
    var corrected: Int64 { (Self.now + (offset ?? 0)) / 1000 }

    /// Whether the device's own clock can be right.
    var isPlausible: Bool { Self.now >= floor }

    /// Central has told its time.
    mutating func learn(_ time: Int64) {
        // What nobody can mean would make every signature invalid.
        guard time > 0, time < 1 << 52 else { return }
        offset = time - Self.now
        floor = max(floor, time)
    }
}
