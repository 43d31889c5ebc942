import ArgumentParser

struct FleetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fleet",
        abstract: "Watch and steer all devices, by way of central.",
        discussion: """
            Works from any machine that reaches central; it need not be a device.

            EXAMPLES
              holdfast fleet login hfl1.eyJ1...          once
              holdfast fleet devices --selector site=north
              holdfast fleet command run press-4 worker.restart worker=camera
              holdfast fleet bundle upload hello-1.1.0.tar.zst
              holdfast fleet deployment create hello 1.1.0 --selector site=north --wait
              holdfast fleet telemetry press-4 --since 1h
              holdfast fleet events --follow

            ENVIRONMENT
              HOLDFAST_FLEET_LOGIN   a login, instead of the one that is kept
            """,
        subcommands: [
            FleetLoginCommand.self, FleetLogoutCommand.self, FleetDevicesCommand.self, FleetDeviceCommand.self,
            FleetCommandCommand.self, FleetTelemetryCommand.self, FleetEventsCommand.self, FleetIncidentsCommand.self,
            FleetBundleCommand.self, FleetDeploymentCommand.self, FleetTokensCommand.self,
        ])
}
