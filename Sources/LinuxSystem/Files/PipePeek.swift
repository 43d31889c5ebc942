import CLinux
import Glibc

/// Reads what is in a FIFO without taking it out (tee(2)): a reader that is killed before it has dealt with the bytes
/// leaves them to the next one. One object serves any number of FIFOs, one after the other.
package final class PipePeek {
    /// Empty between calls.
    private var copy: Pipe

    package init() throws(SystemError) {
        copy = try SystemCall.makePipe(nonBlocking: true)
    }

    /// Copies bytes from the head of the FIFO, at most as many as the buffer takes. Zero: there are none, and no
    /// writers either. Fewer than asked for may mean that there are no more just now.
    package func peek(_ fifo: Int32, into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> IOResult<Int> {
        let result = try SystemCall.performNonBlocking("tee") { hf_tee(fifo, copy.writeEnd.rawValue, buffer.count) }
        guard case .done(let count) = result, count > 0 else { return result }
        do throws(SystemError) {
            var done = 0
            // At once as a rule; the kernel may hand out page by page.
            while done < count {
                let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done..<count])
                guard case .done(let step) = try SystemCall.read(copy.readEnd.rawValue, into: rest) else { break }
                done += step
            }
            return .done(done)
        } catch {
            // What is left in the copy must not turn up in front of the next bytes.
            copy = try SystemCall.makePipe(nonBlocking: true)
            throw error
        }
    }

    /// Takes bytes out of the FIFO that were peeked at; `scratch` is overwritten with them.
    package func consume(
        _ fifo: Int32, _ count: Int, scratch: UnsafeMutableRawBufferPointer
    ) throws(SystemError) {
        var left = count
        while left > 0 {
            let part = UnsafeMutableRawBufferPointer(rebasing: scratch[..<min(left, scratch.count)])
            guard case .done(let step) = try SystemCall.read(fifo, into: part), step > 0 else { return }
            left -= step
        }
    }
}
