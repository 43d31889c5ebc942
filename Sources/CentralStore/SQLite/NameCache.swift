import FleetAPI
import Synchronization

/// The numbers of series and origins, so that they are not looked up for each batch. Written in the one line that writes
/// the database; emptied whenever that is rolled back or something is deleted.
final class NameCache: Sendable {
    struct SeriesKey: Hashable {
        var device: Int64
        var name: SeriesName
    }

    struct OriginKey: Hashable {
        var spool: Int64
        var boot: String
    }

    struct Origin {
        var number: Int64
        var skew: Int64
    }

    struct Entries {
        var series: [SeriesKey: Int64] = [:]
        var origins: [OriginKey: Origin] = [:]
    }

    /// An entry is some 150 bytes.
    private static let limit = 500_000

    let entries = Mutex(Entries())

    func forget() { entries.withLock { $0 = Entries() } }

    /// Begins anew when there is too much.
    func makeRoom() {
        entries.withLock { entries in
            if entries.series.count > Self.limit { entries.series = [:] }
            if entries.origins.count > Self.limit { entries.origins = [:] }
        }
    }
}
