"""Called by scripts/stress, in the sandbox, when the service is in its place."""

import argparse
import random
import sys
import traceback

import device
import heat_faults
import runtime_faults
import trial as trials
import worker_faults
from report import Report

FAULTS = worker_faults.FAULTS + heat_faults.FAULTS + runtime_faults.FAULTS


def title(fault, options):
    return fault.__doc__.format(watchdog=1 if options.quick else 10, kills=options.kills)


def recover():
    """After a fault that went wrong, for those that follow."""
    device.CONFIGURATION.write_text(trials.configuration())
    device.run("systemctl", "restart", "holdfast.service", check=False)
    device.await_ready()


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--slack", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--sensors", required=True)
    options = parser.parse_args()
    options.rounds = options.rounds or (2 if options.quick else 7)
    return options


def main():
    options = parse()
    wanted = [name for name in options.only.split(",") if name]
    unknown = [name for name in wanted if name not in [fault.__name__.replace("_", "-") for fault in FAULTS]]
    if unknown:
        print(f"stress: no fault {', '.join(unknown)}", file=sys.stderr)
        return 64
    faults = [fault for fault in FAULTS if not wanted or fault.__name__.replace("_", "-") in wanted]
    if not options.kills:
        faults = [fault for fault in faults if fault is not runtime_faults.many_kills]
    heat_faults.SENSORS = options.sensors
    print(f"stress: seed {options.seed}, {options.rounds} rounds", flush=True)
    report = Report(options.slack)
    device.CONFIGURATION.write_text(trials.configuration())
    device.run("systemctl", "start", "holdfast.service")
    device.await_ready()
    trial = trials.Trial(report, options)
    for fault in faults:
        report.begin(title(fault, options))
        try:
            fault(trial)
        except Exception as error:  # whatever it was, the other faults are tried too
            if not isinstance(error, device.Broken):
                traceback.print_exc()
            report.promise(f"it could be tried: {error}", False)
            report.loses("unknown")
            recover()
        report.end()
    print(f"\n{report.table()}\n")
    for broken in report.broken:
        print(f"stress: broken: {broken}", file=sys.stderr)
    return 1 if report.broken else 0


if __name__ == "__main__":
    sys.exit(main())
