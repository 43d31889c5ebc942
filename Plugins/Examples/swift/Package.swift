// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "contents",
    products: [.library(name: "contents", type: .dynamic, targets: ["Contents"])],
    targets: [
        // Links to the SDK in this repository; `holdfast plugin new` makes copies.
        .target(name: "CPluginABI"),
        .target(name: "HoldfastPlugin", dependencies: ["CPluginABI"]),
        .target(
            name: "Contents", dependencies: ["HoldfastPlugin"],
            linkerSettings: [.unsafeFlags(["-static-stdlib"])]),
    ]
)
