extension UplinkSection {
    /// The settings, with defaults in place of what is wrong, which has been reported.
    init(_ table: TableReader) {
        self.init(
            isEnabled: table.value(UplinkSchema.enabled),
            central: table.optional(UplinkSchema.central),
            proxy: table.optional(UplinkSchema.proxy),
            labels: table.merged(UplinkSchema.labels) { .string($0) },
            flushInterval: table.value(UplinkSchema.flushInterval),
            metricsInterval: table.value(UplinkSchema.metricsInterval),
            events: Queue(table, UplinkQueueSchema.events),
            readings: Queue(table, UplinkQueueSchema.readings))
    }
}

extension UplinkSection.Queue {
    fileprivate init(_ uplink: TableReader, _ schema: UplinkQueueSchema) {
        let table = uplink.subtable(schema.table)
        self.init(
            quota: table.value(schema.quota), whenFull: table.value(UplinkQueueSchema.whenFull),
            timeToLive: table.value(UplinkQueueSchema.timeToLive))
    }
}
