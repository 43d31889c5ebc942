import CLinux

/// System calls that a process may not make (seccomp(2)), as a program that the kernel runs at each call. It names what is
/// denied, by families: a list of what is allowed would have to be right for every version of the C library.
package struct SystemCallFilter: Sendable, Equatable {
    /// What is denied together. Denied calls answer EPERM, as for a user without the right.
    package enum Family: CaseIterable, Sendable {
        /// Setting clocks.
        case clock
        /// Looking into other processes, and tracing.
        case debug
        /// Large parts of the kernel that few programs need: bpf(2), io_uring, userfaultfd(2), ...
        case kernel
        case keyring
        case module
        case mount
        /// Namespaces of its own, and joining those of others. clone3(2) is then unknown (ENOSYS), since a filter cannot
        /// see its arguments; the C library does without.
        case namespace
        /// Other users, groups, owners, quotas, host names.
        case privileged
        /// New processes; threads are allowed.
        case process
        case rawIO
        case reboot
        case swap
        /// Sockets of any other kind than unix(7); the others answer EAFNOSUPPORT.
        case network
    }

    /// Eight bytes each, as struct sock_filter.
    let instructions: [UInt64]

    /// A filter for this machine's architecture. Calls of other architectures (32-bit programs) are denied, and those
    /// that are newer than this list are unknown, as to an older kernel.
    package init(denying families: Set<Family>) {
        var program = FilterProgram()
        program.load(.architecture)
        program.unless(.equal(hf_native_architecture()), answer: .denied)
        program.load(.number)
        for number in SystemCallFilter.numbers(of: families) { program.when(.equal(number), answer: .denied) }
        let newNamespaces: UInt32 = 0x7e02_0000  // CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
        let thread: UInt32 = 0x0001_0000  // CLONE_THREAD
        if families.contains(.namespace) || families.contains(.process) {
            program.when(.equal(hf_clone3_number()), answer: .unknown)
            program.when(.equal(hf_clone_number())) { program in
                program.load(.firstArgument)
                if families.contains(.namespace) { program.when(.hasAny(newNamespaces), answer: .denied) }
                if families.contains(.process) { program.unless(.hasAny(thread), answer: .denied) }
                program.answer(.allowed)
            }
        }
        if families.contains(.network) {
            program.when(.equal(hf_socket_number())) { program in
                program.load(.firstArgument)
                program.unless(.equal(1), answer: .unsupportedFamily)  // AF_UNIX
                program.answer(.allowed)
            }
        }
        // x86-64 has its x32 calls up there as well.
        program.when(.greater(hf_newest_system_call()), answer: .unknown)
        program.answer(.allowed)
        instructions = program.instructions
    }

    /// Whether this kernel takes filters.
    package static var isAvailable: Bool {
        (try? SystemCall.perform("seccomp") { hf_seccomp_probe() }) != nil
    }

    private static func numbers(of families: Set<Family>) -> [UInt32] {
        let groups = families.compactMap(\.group).flatMap { group -> [UInt32] in
            var count = 0
            let first = hf_system_calls(group, &count)
            return Array(UnsafeBufferPointer(start: first, count: count))
        }
        return groups.sorted()
    }
}

extension SystemCallFilter.Family {
    /// `nil` for what arguments decide.
    fileprivate var group: hf_call_family? {
        switch self {
        case .clock: HF_CALLS_CLOCK
        case .debug: HF_CALLS_DEBUG
        case .kernel: HF_CALLS_KERNEL
        case .keyring: HF_CALLS_KEYRING
        case .module: HF_CALLS_MODULE
        case .mount: HF_CALLS_MOUNT
        case .namespace: HF_CALLS_NAMESPACE
        case .privileged: HF_CALLS_PRIVILEGED
        case .process: HF_CALLS_PROCESS
        case .rawIO: HF_CALLS_RAW_IO
        case .reboot: HF_CALLS_REBOOT
        case .swap: HF_CALLS_SWAP
        case .network: nil
        }
    }
}
