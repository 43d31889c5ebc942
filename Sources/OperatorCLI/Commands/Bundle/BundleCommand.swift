import ArgumentParser

struct BundleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bundle",
        abstract: "Make, sign, check and keep bundles: what is deployed to devices.",
        discussion: """
            A bundle is an archive of programs, data and models with a manifest that says what runs of it. A device takes one \
            only if enough keys that its root names have signed for it. These commands work on files and need no runtime.

            EXAMPLES
              holdfast bundle keygen -o root.pem && holdfast bundle keygen -o targets.pem
              holdfast bundle root --root-key root.pem.pub --targets-key targets.pem.pub --key root.pem
              holdfast bundle pack vision/
              holdfast bundle sign --key targets.pem vision-1.0.0.tar.zst
              holdfast bundle install --root root.json --activate vision-1.0.0.tar.zst
            """,
        groupedSubcommands: [
            CommandGroup(
                name: "Make",
                subcommands: [BundlePackCommand.self, BundleInspectCommand.self, BundleVerifyCommand.self]),
            CommandGroup(
                name: "Sign", subcommands: [BundleKeygenCommand.self, BundleRootCommand.self, BundleSignCommand.self]),
            CommandGroup(
                name: "Keep",
                subcommands: [
                    BundleInstallCommand.self, BundleListCommand.self, BundleRemoveCommand.self,
                    BundleGarbageCommand.self,
                ]),
        ])
}
