/// The 128-bit message ids (sd_journal_sendv(3), MESSAGE_ID=) of the runtime's events, by kind: `journalctl
/// MESSAGE_ID=...` finds them whatever the wording. Never change or reuse one.
enum JournalMessageID {
    static func id(ofKind kind: String) -> String? {
        ids[kind]
    }

    private static let ids: [String: String] = [
        "worker-changed": "db438226cca543328350a8840d4a4e46",
        "worker-failed": "02303b1c67d04d5890b344240b554f25",
        "worker-recovered": "2def3962dd7a4b7abdd5cfa9357d4427",
        "group-restarted": "3777abe74fa94dbcbc2140da9f60bc14",
        "intensity-exceeded": "c7c24e5ca221451ba99ea4370da7c6ee",
        "supervisor-retried": "6de74f1904b34e07af7d7cf65529fb92",
        "incident-completed": "45fcc099540947f7ac37111e85327ddd",
        "group-abandoned": "3548dd56c267479cb7ec2f498d6dcee8",
        "reloaded": "bd99d86354ad4fddb3a1a49cb9ca7b07",
        "output-lost": "8ec5b9191fc44e0ea0804722d1fdbb0e",
        "events-lost": "52cdaba8a9a143a09c6652fb1bbe4990",
        "notify-refused": "4120caef938841abacf8427749966d6f",
        "runtime-started": "0f8f48ce91e04af0a2c2e6d0f77bfbc2",
        "runtime-adopted": "8932ee222ca34de6b1f8fd9b6acb8b8a",
        "runtime-upgrading": "cdc19423356d4500aec9852434719217",
        "runtime-stopping": "0b18624441d147a399023cdabaa74e7d",
        "level-changed": "9d10d3e3891e45db852a578c55018c1d",
        "throttled": "3e10952d65eb47d9b3645bf1c4c485fc",
        "alert": "71a62e3a544a4a39ac15a26a26e00f4e",
        "worker-shed": "310fd163b56f4d0bb73c42536d14738d",
        "worker-restored": "198c7c24a6ae44d5909cf99cf2cf60b1",
        "sensor-failed": "045445923cdc4ecd824db8a10758eaae",
        "sensor-recovered": "e422f59c60ce4ca3ab8532da1a8e44ef",
        "probe-failed": "04ff27f09b8b486ea316de1930cc64ba",
        "probe-recovered": "25ce12f4d81f41eea3bd1f3584888ca2",
        "uplink-enrolled": "7a729364ff5f41d6b4e7ab59fe35e962",
        "uplink-refused": "76caf827b920477c89b5f5c786c4474c",
        "uplink-connected": "29d55b40ad83436f8f903ec354445ee9",
        "uplink-disconnected": "914d5b2397e7425295794299465c2a65",
        "telemetry-lost": "0d59d5ad19c543689bbee7bfcc2849b4",
        "command-ended": "69e68b23538c447e8fefa5422f674352",
        "deployment-changed": "d4168b4f010c41259f588df2d8a54d88",
        "warning": "59997603b4a34c4fa4f0ae3ee8631691",
    ]
}
