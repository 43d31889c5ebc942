import Glibc

/// A file that the kernel writes anew whenever it is read, such as one of /proc: it stays open and is read from its
/// beginning each time, which costs a fraction of opening it. One of a process that is gone answers ESRCH, whoever has
/// its pid by then.
package final class KernelFile {
    private let file: Descriptor
    private let path: String

    package init(_ path: String) throws(SystemError) {
        self.path = path
        file = try SystemCall.open(path, .readOnly)
    }

    /// Reads what fits the buffer (pread(2)).
    package func read<Result>(
        into buffer: UnsafeMutableRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Result
    ) throws(SystemError) -> Result {
        let number = file.rawValue
        let count = try SystemCall.perform("pread", path) { pread(number, buffer.baseAddress, buffer.count, 0) }
        return body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
}
