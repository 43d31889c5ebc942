import MonotonicTime

extension SelfPreservation {
    package var status: PreservationStatus {
        let sensors = thermometers.sorted { $0.key < $1.key }.map { name, thermometer in
            PreservationStatus.Sensor(
                name: name, celsius: thermometer.value, fault: thermometer.fault, level: thermometer.ladder.level,
                threshold: thermometer.threshold,
                forecast: thermometer.forecast.map {
                    PreservationStatus.ForecastStatus(
                        celsius: $0.value, meanError: $0.meanError, isTrusted: $0.isTrusted)
                })
        }
        let measured = policy.quantities.keys.sorted { $0.name < $1.name }.map { quantity in
            let ladder = gauges[quantity]?.ladder
            return PreservationStatus.Gauge(
                quantity: quantity, value: gauges[quantity]?.value, level: ladder?.level ?? .normal,
                threshold: ladder.flatMap { $0.policy.thresholds[$0.level]?.enter })
        }
        return PreservationStatus(
            level: level, isThrottled: isThrottled, isBlind: isBlind, sensors: sensors, gauges: measured,
            causes: Cause.allCases.map(status(of:)))
    }

    /// What a quantity asks for.
    package func level(of quantity: Quantity) -> Level { gauges[quantity]?.ladder.level ?? .normal }

    private func status(of cause: Cause) -> PreservationStatus.CauseStatus {
        let shedding = sheddings[cause] ?? Shedding()
        var status = PreservationStatus.CauseStatus(cause: cause, level: shedding.level, shed: shedding.shed)
        let relief = relief(of: cause, from: shedding.level)
        if shedding.level > .normal { status.relief = relief?.at }
        if shedding.level == .shed, strain(of: cause) >= 1, nextToGo(for: cause) != nil {
            status.nextShed = max(now, shedding.lastStep.map { $0.at + policy.shedInterval } ?? now)
        }
        guard !shedding.shed.isEmpty else { return status }
        if shedding.level >= .shed {
            if let relief, relief.to < .shed { status.nextRestore = relief.at }
        } else if !mayRestore(cause) {
            status.nextRestore = startedAt + policy.blindHold
        } else {
            let rest = shedding.isRestoring ? shedding.lastStep.map { $0.at + policy.restoreInterval } : nil
            status.nextRestore = max(now, rest ?? now)
        }
        return status
    }

    /// When all that hold a cause's level have let it go, and what holds then. `nil` while one of them does not.
    private func relief(of cause: Cause, from level: Level) -> (at: MonotonicInstant, to: Level)? {
        guard level > .normal else { return nil }
        var reliefs = gauges.values(of: cause).filter { $0.ladder.level == level }.map {
            $0.ladder.relief(from: $0.value)
        }
        var others = gauges.values(of: cause).map(\.ladder.level).filter { $0 < level }
        if cause == .heat {
            reliefs = thermometers.values.filter { $0.ladder.level == level }.map(\.relief)
            others = thermometers.values.map(\.ladder.level).filter { $0 < level }
        }
        let known = reliefs.compactMap { $0 }
        guard !known.isEmpty, known.count == reliefs.count, let at = known.map(\.at).max() else { return nil }
        return (at, max(known.map(\.to).max() ?? .normal, others.max() ?? .normal))
    }
}

extension [Quantity: SelfPreservation.Gauge] {
    fileprivate func values(of cause: Cause) -> [SelfPreservation.Gauge] {
        filter { $0.key.cause == cause }.map(\.value)
    }
}
