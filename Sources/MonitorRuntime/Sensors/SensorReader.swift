import CSensors
import LinuxSystem
import MonotonicTime

/// The thread that reads sensors, as the loop sees it: one job at a time, and its end as an event. A thread that gets stuck
/// in the kernel is left behind, and the next one begins with the errand after it.
final class SensorReader {
    enum Errand: Hashable {
        /// Looks for sensors; only if something about their folders has changed.
        case discover(onlyChanges: Bool)
        case value(sensor: Int)
        case limit(sensor: Int)
        /// How full a file system is.
        case space(path: String)
    }

    /// What has become of a job.
    struct Outcome {
        /// Values; `nil` where there is none to be had.
        var answers: [(errand: Errand, value: Double?)] = []
        /// Where the thread is stuck, and what it has therefore not come to.
        var stuck: Errand?
        var rest: [Errand] = []
    }

    /// With so many threads stuck something is wrong with this machine that another process may not meet.
    static let mostStuckThreads = 3
    static let mostErrands = Int(HF_TASKS_MAX)

    private let loop: EventLoop
    private let thermalFolder: String
    private let usesLibrary: Bool
    private var reader: OpaquePointer?
    private var registration: EventLoop.Registration?
    private var job: [Errand] = []
    private var completion: ((Outcome) -> Void)?
    private var deadline: TimerID?
    private var doneAtDeadline = 0
    private(set) var stuckThreads = 0

    /// How long a single errand may take.
    var patience: Duration = .seconds(2)

    init(loop: EventLoop, thermalFolder: String, usesLibrary: Bool) {
        self.loop = loop
        self.thermalFolder = thermalFolder
        self.usesLibrary = usesLibrary
    }

    deinit {
        if let deadline { loop.cancel(deadline) }
        leaveThread()
    }

    var isBusy: Bool { completion != nil }

    /// Does the errands in order, then calls `completion`, once.
    /// - Throws: when there is no thread to be had.
    func submit(_ errands: [Errand], _ completion: @escaping (Outcome) -> Void) throws(SystemError) {
        precondition(!isBusy, "the reader does one job at a time")
        let errands = Array(errands.prefix(SensorReader.mostErrands))
        guard !errands.isEmpty else { return completion(Outcome()) }
        if reader == nil { try startThread(after: nil) }
        guard let reader else { return }
        let error = SensorReader.withErrands(errands) { hf_reader_submit(reader, $0, Int32(errands.count)) }
        if error != 0 { throw SystemError(call: "eventfd", errno: error) }
        job = errands
        self.completion = completion
        expectProgress(beyond: 0)
    }

    /// The sensors by their index.
    var sensors: [(name: String, kind: hf_sensor_kind)] {
        guard let reader else { return [] }
        return (0..<hf_reader_sensor_count(reader)).map { index in
            let sensor = hf_reader_sensor(reader, index)
            let name = withUnsafeBytes(of: sensor.pointee.name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            return (name, hf_sensor_kind(rawValue: UInt32(sensor.pointee.kind)))
        }
    }

    /// Why libsensors cannot be used.
    var problem: String? { reader.flatMap { hf_reader_problem($0) }.map { String(cString: $0) } }

    // MARK: The thread

    private func startThread(after former: OpaquePointer?) throws(SystemError) {
        guard let started = hf_reader_start(thermalFolder, usesLibrary ? 1 : 0, former) else {
            throw SystemError(call: "pthread_create", errno: SystemError.current)
        }
        let registered = try loop.register(hf_reader_descriptor(started), .readable) { [weak self] _ in
            self?.finish()
        }
        leaveThread()
        (reader, registration) = (started, registered)
    }

    private func leaveThread() {
        if let registration { loop.unregister(registration) }
        if let reader { hf_reader_abandon(reader) }
        (reader, registration) = (nil, nil)
    }

    private func expectProgress(beyond done: Int) {
        doneAtDeadline = done
        deadline = loop.schedule(at: loop.now + patience) { [weak self] in self?.judge() }
    }

    /// Time is up: the thread goes on as long as it has got on with its job.
    private func judge() {
        guard let reader, isBusy else { return }
        let done = Int(hf_reader_done(reader))
        guard done == doneAtDeadline, done < job.count else { return expectProgress(beyond: done) }
        stuckThreads += 1
        var outcome = Outcome(answers: answers(done))
        outcome.stuck = job[done]
        outcome.rest = Array(job[(done + 1)...])
        // Without another thread the next job tries again.
        if (try? startThread(after: reader)) == nil { leaveThread() }
        end(outcome)
    }

    private func finish() {
        guard let reader else { return }
        withUnsafeTemporaryAllocation(byteCount: 8, alignment: 8) { buffer in
            _ = try? SystemCall.read(hf_reader_descriptor(reader), into: buffer)
        }
        guard isBusy, Int(hf_reader_done(reader)) == job.count else { return }
        end(Outcome(answers: answers(job.count)))
    }

    private func answers(_ count: Int) -> [(errand: Errand, value: Double?)] {
        guard let reader else { return [] }
        return job[..<count].enumerated().map { index, errand in
            let answer = hf_reader_answer(reader, Int32(index))
            return (errand, answer.status == 0 ? answer.value : nil)
        }
    }

    private func end(_ outcome: Outcome) {
        if let deadline { loop.cancel(deadline) }
        deadline = nil
        job = []
        let completion = completion
        self.completion = nil
        completion?(outcome)
    }

    private static func withErrands(_ errands: [Errand], _ body: (UnsafePointer<hf_task>) -> Int32) -> Int32 {
        // One text for all paths, so that their pointers live as long as the call.
        var paths: [UInt8] = []
        var starts: [Int?] = []
        for errand in errands {
            guard case .space(let path) = errand else {
                starts.append(nil)
                continue
            }
            starts.append(paths.count)
            paths += Array(path.utf8) + [0]
        }
        return paths.withUnsafeBufferPointer { text in
            let list = zip(errands, starts).map { errand, start in
                let path = start.flatMap { start in text.baseAddress.map { $0 + start } }
                return errand.forThread(path: path.map { UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self) })
            }
            return list.withUnsafeBufferPointer { $0.baseAddress.map(body) ?? 0 }
        }
    }
}

extension SensorReader.Errand {
    fileprivate func forThread(path: UnsafePointer<CChar>?) -> hf_task {
        switch self {
        case .discover(let onlyChanges):
            let kind = onlyChanges ? HF_DISCOVER_CHANGES : HF_DISCOVER
            return hf_task(kind: Int32(kind.rawValue), index: 0, path: nil)
        case .value(let sensor): return hf_task(kind: Int32(HF_READ_VALUE.rawValue), index: Int32(sensor), path: nil)
        case .limit(let sensor): return hf_task(kind: Int32(HF_READ_LIMIT.rawValue), index: Int32(sensor), path: nil)
        case .space: return hf_task(kind: Int32(HF_READ_SPACE.rawValue), index: 0, path: path)
        }
    }
}
