import ControlProtocol
import LinuxSystem
import TestSupport
import Testing

@testable import OperatorCLI

struct PluginCommandTests {
    @Test func `the head of an ELF file says what machine it is for`() throws {
        var bytes: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1] + [UInt8](repeating: 0, count: 10) + [3, 0, 183, 0]
        let arm = try #require(ELFHead(bytes))
        #expect(arm.type == ELFHead.sharedObject)
        #expect(arm.machineName == "aarch64")
        bytes[18] = 62
        #expect(ELFHead(bytes)?.isSameMachine(as: arm) == false)
        bytes[16...] = [0, 2, 0, 62]
        bytes[5] = 2
        #expect(ELFHead(bytes)?.typeName == "a program")
        #expect(ELFHead(bytes)?.machineName == "x86-64, big endian")
        for length in bytes.indices { #expect(ELFHead(Array(bytes[..<length])) == nil) }
        bytes[0] = 0
        #expect(ELFHead(bytes) == nil)
    }

    @Test func `everything that the linker misses is found in what it says`() {
        let output = """
            \tlinux-vdso.so.1 (0x00007f1b23ec0000)
            \tlibear.so.2 => not found
            \tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f37a3b24000)
            ./x.so: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.99' not found (required by ./x.so)
            undefined symbol: ear_open\t(./x.so)
            undefined symbol: ear_close\t(./x.so)
            """
        #expect(
            LinkerTrace.findings(in: output).map(\.message) == [
                "it needs the library libear.so.2, which is not there",
                "./x.so: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.99' not found (required by ./x.so)",
                "it needs ear_open, which no library has", "it needs ear_close, which no library has",
            ])
    }

    @Test(arguments: ["c", "swift"]) func `a new plugin has no placeholder left, and replaces nothing`(language: String)
        throws
    {
        let folder = try TemporaryDirectory()
        let console = RecordedConsole()
        #expect(console.run("plugin new lamp-post --language \(language) --in \(folder.path)") == 0)
        let files = console.output.split(separator: "\n").dropLast().map(String.init)
        #expect(files.count >= 5)
        for file in files {
            let text = String(decoding: try SystemCall.readFile(file, limit: 1 << 20), as: UTF8.self)
            #expect(!text.isEmpty && !text.contains("@NAME@") && !text.contains("@TYPE@"), "\(file)")
        }
        #expect(files.contains { $0.hasSuffix("holdfast_plugin.h") })
        #expect(language == "c" || files.contains { $0.hasSuffix("/Sources/LampPost/LampPost.swift") })
        let again = RecordedConsole()
        #expect(again.run("plugin new lamp-post --language \(language) --in \(folder.path)") == 1)
        #expect(again.error.hasSuffix("lamp-post is there already, and nothing in it was changed\n"))
    }

    @Test(arguments: ["Lamp", "1lamp", "lamp_post", "../lamp", "lamp-", ""]) func `a name that is none is wrong usage`(
        name: String
    ) {
        #expect(RecordedConsole().run(["plugin", "new", name, "--language", "c"]) == 2)
    }

    @Test func `a command that is none is wrong usage, and says what one looks like`() throws {
        let folder = try TemporaryDirectory()
        let console = RecordedConsole(input: Array("{}".utf8))
        let library = try folder.write("a.so", "x")
        #expect(console.run("plugin run \(library) --command - --host /bin/true") == 2)
        #expect(console.error.contains(#"such as {"kind": "lamp.blink"}: kind: is missing"#))
    }
}
