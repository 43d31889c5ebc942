// swift-tools-version: 6.2
import PackageDescription

/// Language mode 6, warnings are errors, and imports that say what they expose.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// The device binaries carry the Swift runtime inside, so that a device needs no Swift installation.
let selfContained: [LinkerSetting] = [.unsafeFlags(["-static-stdlib"])]

/// What swift-argument-parser needs of Foundation, which static linking does not find by itself.
let foundation: [LinkerSetting] = [
    .linkedLibrary("FoundationEssentials"), .linkedLibrary("_FoundationCollections"),
    .linkedLibrary("_FoundationCShims"), .linkedLibrary("swiftSynchronization"),
]

let package = Package(
    name: "holdfast",
    products: [
        .executable(name: "holdfastd", targets: ["holdfastd"]),
        .executable(name: "holdfast", targets: ["holdfast"]),
        .executable(name: "holdfast-imunoedge", targets: ["holdfast-imunoedge"]),
        .executable(name: "holdfast-plugin-host", targets: ["holdfast-plugin-host"]),
        // Plugins, each with the Swift runtime inside.
        .library(name: "deploy", type: .dynamic, targets: ["Deploy"]),
        .library(name: "model-load", type: .dynamic, targets: ["ModelLoad"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        // Pure: no OS import, time as an argument.
        .target(name: "MonotonicTime", swiftSettings: strict),
        .target(name: "Supervision", dependencies: ["MonotonicTime"], swiftSettings: strict),
        .target(name: "SelfPreservation", dependencies: ["MonotonicTime"], swiftSettings: strict),
        .target(name: "SeededRandom", swiftSettings: strict),
        .target(name: "Probing", dependencies: ["MonotonicTime"], swiftSettings: strict),
        .target(name: "Delivery", dependencies: ["MonotonicTime"], swiftSettings: strict),
        .target(name: "Deployment", dependencies: ["MonotonicTime"], swiftSettings: strict),
        .target(name: "Rollout", swiftSettings: strict),
        .target(
            name: "SupervisionSimulation", dependencies: ["Supervision", "MonotonicTime"], swiftSettings: strict),

        // Linux.
        .target(
            name: "CLinux",
            cSettings: [.treatAllWarnings(as: .error), .define("_GNU_SOURCE")]),
        .target(name: "LinuxSystem", dependencies: ["CLinux", "MonotonicTime"], swiftSettings: strict),

        // Contracts.
        .target(name: "CTOML"),
        .target(
            // Named apart from the module Configuration that comes along with Hummingbird.
            name: "DeviceConfiguration",
            dependencies: ["CTOML", "Supervision", "SelfPreservation", "Probing", "MonotonicTime", "LinuxSystem"],
            swiftSettings: strict),
        .systemLibrary(name: "CJansson", pkgConfig: "jansson", providers: [.apt(["libjansson-dev"])]),
        .target(name: "ControlProtocol", dependencies: ["CJansson"], swiftSettings: strict),
        .target(name: "FleetAPI", dependencies: ["ControlProtocol"], swiftSettings: strict),
        .target(
            name: "MonitorProtocol", dependencies: ["ControlProtocol", "SelfPreservation", "Probing", "MonotonicTime"],
            swiftSettings: strict),

        // Storage.
        .target(
            name: "CChecksum", cSettings: [.treatAllWarnings(as: .error)]),
        .target(name: "Spool", dependencies: ["CChecksum", "LinuxSystem"], swiftSettings: strict),

        // Plugins: the header is the contract, the frames are between a plugin host and whoever runs it.
        .target(name: "CPluginABI", cSettings: [.treatAllWarnings(as: .error)]),
        .target(name: "CPluginFrames", cSettings: [.treatAllWarnings(as: .error)]),
        .target(
            name: "CPluginTemplates", exclude: ["c", "swift", "command.json.template"],
            cSettings: [.treatAllWarnings(as: .error)]),
        // For plugins in Swift, with all their settings: they are built elsewhere.
        .target(name: "HoldfastPlugin", dependencies: ["CPluginABI"], swiftSettings: strict),
        .target(
            name: "PluginSession",
            dependencies: ["CPluginABI", "CPluginFrames", "ControlProtocol", "LinuxSystem", "MonotonicTime"],
            swiftSettings: strict),
        // What may run on a device, and where it is kept.
        .target(
            name: "CTrust", cSettings: [.treatAllWarnings(as: .error), .define("_GNU_SOURCE")]),
        .target(name: "Trust", dependencies: ["CTrust", "ControlProtocol"], swiftSettings: strict),
        .target(
            name: "CArchive", cSettings: [.treatAllWarnings(as: .error), .define("_GNU_SOURCE")]),
        .target(
            name: "BundleFormat",
            dependencies: ["CArchive", "Trust", "ControlProtocol", "DeviceConfiguration", "LinuxSystem"],
            swiftSettings: strict),
        .target(name: "BundleStore", dependencies: ["BundleFormat", "Trust", "LinuxSystem"], swiftSettings: strict),
        .target(
            name: "ModelCache", dependencies: ["BundleStore", "ControlProtocol", "LinuxSystem", "Trust"],
            swiftSettings: strict),

        .target(
            name: "ExecutorProtocol", dependencies: ["ControlProtocol"], swiftSettings: strict),
        .target(
            name: "DownloadProtocol", dependencies: ["ControlProtocol"], swiftSettings: strict),
        .target(
            name: "UplinkProtocol", dependencies: ["ControlProtocol"], swiftSettings: strict),

        // Shells.
        .target(
            name: "CJournal",
            cSettings: [.treatAllWarnings(as: .error), .define("_GNU_SOURCE")]),
        .target(
            name: "SupervisorRuntime",
            dependencies: [
                "CChecksum", "Supervision", "LinuxSystem", "DeviceConfiguration", "ControlProtocol", "MonitorProtocol",
                "SelfPreservation", "Probing", "MonotonicTime", "UplinkProtocol", "ExecutorProtocol",
            ],
            swiftSettings: strict),
        .target(name: "SystemProcess", dependencies: ["LinuxSystem", "ControlProtocol"], swiftSettings: strict),
        .target(
            name: "OutputRuntime",
            dependencies: ["SystemProcess", "LinuxSystem", "ControlProtocol", "CJournal", "MonotonicTime"],
            swiftSettings: strict),
        .target(
            name: "CSensors",
            cSettings: [.treatAllWarnings(as: .error), .define("_GNU_SOURCE")]),
        .target(
            name: "MonitorRuntime",
            dependencies: [
                "SystemProcess",
                "SelfPreservation", "Probing", "MonitorProtocol", "ControlProtocol", "LinuxSystem", "CSensors",
                "MonotonicTime",
            ], swiftSettings: strict),
        .target(
            name: "CTransfer",
            cSettings: [.treatAllWarnings(as: .error), .define("_GNU_SOURCE")]),
        .target(
            name: "FleetTransfer",
            dependencies: ["FleetAPI", "ControlProtocol", "LinuxSystem", "CTransfer", "MonotonicTime"],
            swiftSettings: strict),
        .target(
            name: "UplinkRuntime",
            dependencies: [
                "SystemProcess",
                "UplinkProtocol", "FleetAPI", "ControlProtocol", "Delivery", "Spool", "LinuxSystem", "FleetTransfer",
                "CTransfer",
                "CChecksum", "DownloadProtocol", "MonotonicTime",
            ],
            swiftSettings: strict),
        .target(
            name: "ExecutorRuntime",
            dependencies: [
                "SystemProcess", "ExecutorProtocol", "DownloadProtocol", "PluginSession", "BundleFormat", "BundleStore",
                "Deployment", "ModelCache", "Trust", "ControlProtocol", "LinuxSystem", "MonotonicTime",
            ],
            swiftSettings: strict),
        .target(
            name: "OperatorCLI",
            dependencies: [
                "BundleFormat", "BundleStore", "FleetAPI", "FleetTransfer", "Spool", "ControlProtocol",
                "DeviceConfiguration", "LinuxSystem", "MonotonicTime", "Supervision", "CPluginTemplates",
                "PluginSession", "Trust",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        // Entry points.
        .executableTarget(
            name: "holdfastd",
            dependencies: [
                "SupervisorRuntime", "OutputRuntime", "MonitorRuntime", "UplinkRuntime", "ExecutorRuntime",
                "LinuxSystem",
            ],
            swiftSettings: strict, linkerSettings: selfContained),
        .executableTarget(
            name: "holdfast", dependencies: ["OperatorCLI"], swiftSettings: strict,
            linkerSettings: selfContained + foundation),
        // C only: it stays beside every worker that it runs, so it has to be small.
        .executableTarget(
            name: "holdfast-imunoedge",
            cSettings: [.treatAllWarnings(as: .error), .define("_GNU_SOURCE")], linkerSettings: selfContained),
        .target(
            name: "Deploy", dependencies: ["HoldfastPlugin"], path: "Plugins/Deploy", swiftSettings: strict,
            linkerSettings: selfContained),
        .target(
            name: "ModelLoad", dependencies: ["HoldfastPlugin"], path: "Plugins/ModelLoad", swiftSettings: strict,
            linkerSettings: selfContained),
        // C only: a plugin brings its own language along.
        .executableTarget(
            name: "holdfast-plugin-host", dependencies: ["CPluginABI", "CPluginFrames"],
            cSettings: [.treatAllWarnings(as: .error), .define("_GNU_SOURCE")], linkerSettings: selfContained),
        .executableTarget(
            name: "supervision-simulator", dependencies: ["SupervisionSimulation"], swiftSettings: strict),
        .target(
            name: "SpoolSimulation", dependencies: ["Spool", "LinuxSystem", "SeededRandom"], swiftSettings: strict),
        .executableTarget(
            name: "spool-benchmark", dependencies: ["Spool", "LinuxSystem", "MonotonicTime"], path: "Benchmarks/spool",
            swiftSettings: strict),
        .target(
            name: "DeploymentSimulation", dependencies: ["Deployment", "MonotonicTime", "SeededRandom"],
            swiftSettings: strict),
        .executableTarget(
            name: "deployment-simulator", dependencies: ["DeploymentSimulation", "SeededRandom"], swiftSettings: strict),
        .executableTarget(
            name: "spool-simulator", dependencies: ["SpoolSimulation", "SeededRandom"], swiftSettings: strict),
        .executableTarget(
            name: "misbehaving-worker", path: "Examples/Misbehaving",
            cSettings: [.treatAllWarnings(as: .error), .define("_GNU_SOURCE")]),

        // For tests: plain, so that several test targets can use it.
        .target(
            name: "TestSupport", dependencies: ["LinuxSystem", "MonotonicTime"], path: "Tests/TestSupport",
            swiftSettings: strict),

        .target(
            name: "StoreSimulation", dependencies: ["BundleStore", "LinuxSystem"], path: "Tests/StoreSimulation",
            swiftSettings: strict),

        .testTarget(
            name: "SelfPreservationTests",
            dependencies: ["SelfPreservation", "Supervision", "MonotonicTime", "SeededRandom", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "SpoolTests",
            dependencies: ["Spool", "SpoolSimulation", "CChecksum", "LinuxSystem", "SeededRandom", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "DeliveryTests", dependencies: ["Delivery", "MonotonicTime", "SeededRandom"], swiftSettings: strict),
        .testTarget(
            name: "DeploymentTests", dependencies: ["Deployment", "DeploymentSimulation", "MonotonicTime"],
            swiftSettings: strict),
        .testTarget(name: "RolloutTests", dependencies: ["Rollout", "SeededRandom"], swiftSettings: strict),
        .testTarget(
            name: "UplinkRuntimeTests",
            dependencies: [
                "UplinkRuntime", "UplinkProtocol", "DownloadProtocol", "FleetAPI", "FleetTransfer", "ControlProtocol",
                "Delivery", "Spool", "CTransfer", "LinuxSystem", "MonotonicTime", "TestSupport",
            ], exclude: ["central.py"], swiftSettings: strict),
        .testTarget(
            name: "HoldfastPluginTests", dependencies: ["HoldfastPlugin", "SeededRandom"], swiftSettings: strict),
        .testTarget(
            name: "PluginSessionTests",
            dependencies: [
                "PluginSession", "CPluginFrames", "ControlProtocol", "LinuxSystem", "MonotonicTime", "SeededRandom",
                "TestSupport",
            ],
            exclude: ["behaviours.c"], swiftSettings: strict),
        .testTarget(
            name: "ExecutorRuntimeTests",
            dependencies: [
                "ExecutorRuntime", "ExecutorProtocol", "DownloadProtocol", "PluginSession", "BundleFormat",
                "BundleStore", "ModelCache",
                "Deployment", "Trust", "ControlProtocol", "LinuxSystem", "MonotonicTime", "TestSupport",
            ], swiftSettings: strict),
        .testTarget(name: "ProbingTests", dependencies: ["Probing", "MonotonicTime"], swiftSettings: strict),
        .testTarget(
            name: "MonitorProtocolTests",
            dependencies: ["MonitorProtocol", "ControlProtocol", "SelfPreservation", "Probing"], swiftSettings: strict),
        .testTarget(name: "SupervisionTests", dependencies: ["Supervision", "MonotonicTime"], swiftSettings: strict),
        .testTarget(
            name: "SupervisionSimulationTests", dependencies: ["SupervisionSimulation", "Supervision"],
            swiftSettings: strict),
        .testTarget(
            name: "LinuxSystemTests", dependencies: ["CLinux", "LinuxSystem", "MonotonicTime", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "DeviceConfigurationTests",
            dependencies: [
                "DeviceConfiguration", "LinuxSystem", "Supervision", "SelfPreservation", "MonotonicTime",
                "SeededRandom", "TestSupport",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "TrustTests", dependencies: ["Trust", "ControlProtocol", "LinuxSystem"], exclude: ["python-tuf"],
            swiftSettings: strict),
        .testTarget(
            name: "BundleFormatTests",
            dependencies: ["BundleFormat", "Trust", "ControlProtocol", "LinuxSystem", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "BundleStoreTests",
            dependencies: [
                "BundleStore", "BundleFormat", "ControlProtocol", "LinuxSystem", "SeededRandom", "StoreSimulation",
                "TestSupport",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ModelCacheTests",
            dependencies: [
                "ModelCache", "BundleStore", "ControlProtocol", "LinuxSystem", "SeededRandom", "StoreSimulation",
                "TestSupport", "Trust",
            ], swiftSettings: strict),
        .testTarget(name: "FleetTransferTests", dependencies: ["FleetTransfer"], swiftSettings: strict),
        .testTarget(name: "FleetAPITests", dependencies: ["FleetAPI", "ControlProtocol"], swiftSettings: strict),
        .testTarget(name: "ControlProtocolTests", dependencies: ["ControlProtocol"], swiftSettings: strict),
        .testTarget(
            name: "OutputRuntimeTests",
            dependencies: [
                "OutputRuntime", "LinuxSystem", "ControlProtocol", "MonotonicTime", "SeededRandom", "TestSupport",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "MonitorRuntimeTests",
            dependencies: [
                "MonitorRuntime", "MonitorProtocol", "SelfPreservation", "Probing", "ControlProtocol", "LinuxSystem",
                "MonotonicTime", "TestSupport",
            ], swiftSettings: strict),
        .testTarget(
            name: "SupervisorRuntimeTests",
            dependencies: [
                "CChecksum", "SupervisorRuntime", "OutputRuntime", "DeviceConfiguration", "Supervision",
                "ControlProtocol", "LinuxSystem", "MonitorProtocol", "SelfPreservation", "MonotonicTime",
                "SeededRandom", "UplinkProtocol", "ExecutorProtocol", "TestSupport",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "OperatorCLITests",
            dependencies: [
                "BundleFormat", "Spool", "OperatorCLI", "DeviceConfiguration", "ControlProtocol", "FleetAPI",
                "LinuxSystem",
                "MonotonicTime", "TestSupport", "SeededRandom", "Supervision", "Trust",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "IntegrationTests",
            dependencies: ["ControlProtocol", "LinuxSystem", "MonotonicTime", "SeededRandom", "TestSupport"],
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)

/// What GRDB needs of Foundation beyond that.
let wholeFoundation: [LinkerSetting] = [
    .linkedLibrary("Foundation"), .linkedLibrary("CoreFoundation"), .linkedLibrary("FoundationInternationalization"),
    .linkedLibrary("_FoundationICU"), .linkedLibrary("dispatch"), .linkedLibrary("BlocksRuntime"),
]

// Central: its libraries take longer to build than all the rest. HOLDFAST_PARTS=device leaves it out.
if Context.environment["HOLDFAST_PARTS"] != "device" {
    package.products += [
        .executable(name: "holdfast-central", targets: ["holdfast-central"])
    ]
    package.dependencies += [
        .package(
            url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-structured-headers", from: "1.7.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ]
    package.targets += [
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(
            name: "CentralStore",
            dependencies: [
                "ControlProtocol", "FleetAPI", "Rollout", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
        .target(
            name: "CentralService",
            dependencies: [
                "BundleFormat", "CentralStore", "ControlProtocol", "FleetAPI", "CChecksum", "CJansson", "CZlib",
                "LinuxSystem", "Rollout", "Trust",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "RawStructuredFieldValues", package: "swift-http-structured-headers"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "X509", package: "swift-certificates"),
            ],
            swiftSettings: strict),
        .target(
            name: "CentralCLI",
            dependencies: [
                "CentralService", "CentralStore", "ControlProtocol", "FleetAPI",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "holdfast-central", dependencies: ["CentralCLI"], swiftSettings: strict,
            linkerSettings: selfContained + foundation + wholeFoundation),
        .testTarget(
            name: "CentralStoreTests",
            dependencies: [
                "CentralStore", "ControlProtocol", "FleetAPI", "Rollout",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "CentralServiceTests",
            dependencies: [
                "BundleFormat", "CentralService", "CentralStore", "ControlProtocol", "FleetAPI", "CChecksum", "CZlib",
                "LinuxSystem", "TestSupport", "Trust",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict),
    ]
}
