import LinuxSystem
import MonitorProtocol
import MonotonicTime
import SelfPreservation

/// The kernel's pressure figures (PSI, Documentation/accounting/psi.rst): quiet until a trigger fires, and looked at with
/// each sample from then on, for as long as they ask for anything.
final class PressureWatch {
    private struct Source {
        var file: KernelFile
        var trigger: SharedDescriptor?
        var registration: EventLoop.Registration?
        var last: (total: Double, at: MonotonicInstant)?
    }

    private let loop: EventLoop
    private let folder: String
    private var sources: [PressureResource: Source] = [:]
    private var triggers: [PressureResource: SharedDescriptor] = [:]
    /// The lowest threshold of those that have a rule: what a trigger means.
    private var thresholds: [PressureResource: Double] = [:]
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 512, alignment: 1)

    /// Called with a value in percent.
    var onMeasured: (Quantity, Double) -> Void = { _, _ in }
    /// Called with what an operator should know.
    var onWarning: (String) -> Void = { _ in }

    init(loop: EventLoop, folder: String) {
        self.loop = loop
        self.folder = folder
    }

    deinit {
        for source in sources.values {
            if let registration = source.registration { loop.unregister(registration) }
        }
        buffer.deallocate()
    }

    /// Watches what has a rule, and looks at it once: whoever takes over from another has to know where things stand.
    func configure(_ policy: PreservationPolicy) {
        for resource in PressureResource.allCases {
            thresholds[resource] = policy.quantities[resource.quantity]?.thresholds.values.map(\.enter).min()
            guard thresholds[resource] != nil else {
                remove(resource)
                continue
            }
            guard sources[resource] == nil else { continue }
            do throws(SystemError) {
                sources[resource] = Source(file: try KernelFile("\(folder)/\(resource.rawValue)"))
                arm(resource)
                sample(resource)
            } catch {
                onWarning("the rules for \(resource.rawValue) pressure do nothing: \(error)")
            }
        }
    }

    func take(_ trigger: SharedDescriptor, for resource: PressureResource) {
        if let registration = sources[resource]?.registration { loop.unregister(registration) }
        sources[resource]?.registration = nil
        triggers[resource] = trigger
        arm(resource)
    }

    /// Samples what is in need of it: while it asks for more than normal, and where no trigger would tell.
    /// - Parameter isNormal: whether a quantity asks for nothing.
    func sample(where isNormal: (Quantity) -> Bool) {
        for resource in PressureResource.allCases {
            guard let source = sources[resource] else { continue }
            if source.registration == nil || !isNormal(resource.quantity) { sample(resource) }
        }
    }

    private func remove(_ resource: PressureResource) {
        if let registration = sources[resource]?.registration { loop.unregister(registration) }
        sources[resource] = nil
        // The kernel works for it until it is closed.
        triggers[resource] = nil
    }

    private func arm(_ resource: PressureResource) {
        guard sources[resource] != nil, let number = triggers[resource]?.rawValue else { return }
        sources[resource]?.trigger = triggers[resource]
        sources[resource]?.registration = try? loop.register(number, .priority) { [weak self] readiness in
            self?.fire(resource, readiness)
        }
    }

    private func fire(_ resource: PressureResource, _ readiness: EventLoop.Readiness) {
        guard !readiness.contains(.error) else {
            if let registration = sources[resource]?.registration { loop.unregister(registration) }
            sources[resource]?.registration = nil
            triggers[resource] = nil
            return onWarning(
                "the kernel gives no more notice of \(resource.rawValue) pressure: it is read periodically")
        }
        sample(resource, atLeast: thresholds[resource])
    }

    private func sample(_ resource: PressureResource, atLeast floor: Double? = nil) {
        guard let source = sources[resource],
            let text = try? source.file.read(into: buffer, { String(decoding: $0, as: UTF8.self) }),
            let figures = PressureFigures(text)
        else { return }
        var value = max(figures.average, floor ?? 0)
        if let last = source.last {
            let elapsed = last.at.duration(to: loop.now).inSeconds
            if elapsed > 0 { value = max(value, min(100, (figures.total - last.total) / elapsed * 100)) }
        }
        sources[resource]?.last = (figures.total, loop.now)
        onMeasured(resource.quantity, value)
    }
}

/// The line "some" of a file in /proc/pressure.
struct PressureFigures: Equatable {
    /// Of the last ten seconds, in percent.
    var average: Double
    /// In seconds, since boot.
    var total: Double

    init?(_ text: String) {
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("some ") }) else { return nil }
        var figures: [Substring: Double] = [:]
        for field in line.split(separator: " ").dropFirst() {
            let sides = field.split(separator: "=", maxSplits: 1)
            if sides.count == 2 { figures[sides[0]] = Double(sides[1]) }
        }
        guard let average = figures["avg10"], let total = figures["total"] else { return nil }
        self.average = average
        self.total = total / 1_000_000
    }
}

extension PressureResource {
    var quantity: Quantity {
        switch self {
        case .memory: .memoryPressure
        case .processor: .processorPressure
        case .disk: .diskPressure
        }
    }
}
