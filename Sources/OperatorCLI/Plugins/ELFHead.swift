/// The first bytes of an ELF file (elf(5)), as far as it matters what machine it is for.
struct ELFHead: Equatable {
    static let size = 20
    /// ET_DYN
    static let sharedObject: UInt16 = 3

    var is64Bit: Bool
    var isLittleEndian: Bool
    var type: UInt16
    var machine: UInt16

    /// `nil` for what is no ELF file.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.size, bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46]), (1...2).contains(bytes[4]),
            (1...2).contains(bytes[5])
        else { return nil }
        is64Bit = bytes[4] == 2
        isLittleEndian = bytes[5] == 1
        let isLittle = isLittleEndian
        func number(at place: Int) -> UInt16 {
            let (low, high) = isLittle ? (bytes[place], bytes[place + 1]) : (bytes[place + 1], bytes[place])
            return UInt16(high) << 8 | UInt16(low)
        }
        type = number(at: 16)
        machine = number(at: 18)
    }

    func isSameMachine(as other: ELFHead) -> Bool {
        is64Bit == other.is64Bit && isLittleEndian == other.isLittleEndian && machine == other.machine
    }

    var machineName: String {
        let name =
            switch machine {
            case 3: "x86 (32 bit)"
            case 40: "arm (32 bit)"
            case 62: "x86-64"
            case 183: "aarch64"
            case 243: "risc-v"
            default: "machine \(machine)"
            }
        return isLittleEndian ? name : "\(name), big endian"
    }

    var typeName: String {
        switch type {
        case 1: "an object file"
        case 2: "a program"
        case 4: "a core dump"
        default: "a file of type \(type)"
        }
    }
}
