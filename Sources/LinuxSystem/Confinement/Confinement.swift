/// What a process is kept from, on top of what its user may not do. In force from before the program's first instruction,
/// for it and for everything that it starts; nobody can take it back.
package struct Confinement: Sendable {
    /// No program that it executes gives it more rights (no_new_privs, prctl(2)).
    package var forbidsNewPrivileges = false
    /// It has no capability, whichever user it is, and none that it could get back.
    package var dropsCapabilities = false
    /// A ruleset of ours, made with `LandlockRules`: what it does not allow, the process may not open.
    package var ruleset: Int32?
    /// Whether the ruleset is to allow everything below the sandbox's scratch directories. It has to be this process's alone
    /// then, for each process adds its own directories to it.
    package var allowsScratch = false
    /// Which system calls it may not make.
    package var systemCalls: SystemCallFilter?
    /// What it sees of the machine.
    package var sandbox: Sandbox?

    package init() {}

    /// The kernel takes rules and filters of a process without privileges only together with no_new_privs, and without it
    /// an executable of root's would bring capabilities back.
    var isConsistent: Bool {
        forbidsNewPrivileges || (ruleset == nil && systemCalls == nil && !dropsCapabilities)
    }
}
