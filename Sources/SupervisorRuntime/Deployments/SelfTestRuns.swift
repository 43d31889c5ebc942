import LinuxSystem

/// The self-tests that are under way, by what the keeper calls the steps that they are. Main thread only.
final class SelfTestRuns {
    typealias Start = (SelfTestOrder, @escaping (String?) -> Void) throws(SystemError) -> SelfTest

    private struct Run {
        let number: Int
        let test: SelfTest
        /// `nil` when it is not waited for any more: it is kept until it is gone.
        var step: Int?
    }

    private var runs: [Run] = []
    private var lastNumber = 0
    private let start: Start
    /// Called with each end that is waited for.
    var onEnd: (_ step: Int, _ problem: String?) -> Void = { _, _ in }

    init(start: @escaping Start) {
        self.start = start
    }

    func begin(_ order: SelfTestOrder, as step: Int) {
        lastNumber += 1
        let number = lastNumber
        do throws(SystemError) {
            let test = try start(order) { [weak self] in self?.ended(number, $0) }
            runs.append(Run(number: number, test: test, step: step))
        } catch {
            onEnd(step, "the self-test could not be started: \(error.call): \(error.message)")
        }
    }

    /// - Parameter step: all of them for `nil`.
    func abandon(_ step: Int? = nil) {
        for index in runs.indices where step == nil || runs[index].step == step {
            runs[index].step = nil
            runs[index].test.kill()
        }
    }

    private func ended(_ number: Int, _ problem: String?) {
        guard let index = runs.firstIndex(where: { $0.number == number }) else { return }
        if let step = runs.remove(at: index).step { onEnd(step, problem) }
    }
}

/// A bundle's own test, as the keeper asks for it.
struct SelfTestOrder: Equatable {
    var bundle: String
    var command: [String]
    var timeLimit: Duration
}
