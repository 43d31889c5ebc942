"""Results as a table of numbers against targets, as Markdown and as JSON."""

import json


def ratio(result, *path):
    holdfast, baseline = result["holdfastd"], result["C baseline"]
    for key in path:
        holdfast, baseline = holdfast[key], baseline[key]
    return holdfast / baseline


def judged(results):
    """Rows of (what, measured, target, met or None when it was not measured)."""
    rows = []

    def add(what, value, unit, most, digits=2):
        text = f"{value:.{digits}f}{unit}"
        rows.append((what, text, f"at most {most:g}{unit}", value <= most))

    one = results.get("kill_one")
    if one and "holdfastd" in one:
        add("kill to first instruction, p50, against C", ratio(one, "p50_ms"), "x", 1.5)
        add("kill to first instruction, p99, against C", ratio(one, "p99_ms"), "x", 3)
    burst = results.get("kill_100")
    if burst and "holdfastd" in burst:
        add("100 killed at once until all are back, against C", ratio(burst, "p50_ms"), "x", 2)
    few = results.get("start_10")
    if few and "holdfastd" in few:
        add("start of holdfastd until its first worker runs", few["holdfastd"]["first_s"] * 1000, " ms", 50, 0)
    many = results.get("start_1000")
    if many and "holdfastd" in many:
        add("1,000 started, against C", ratio(many, "last_s"), "x", 2)
        add("orphans after 1,000 were stopped", many["holdfastd"]["orphans"], "", 0, 0)
    memory = results.get("memory")
    if memory:
        at_20 = {name: values["pss_kib"] for name, values in memory["workers_20"].items()}
        at_120 = {name: values["pss_kib"] for name, values in memory["workers_120"].items()}
        add("PSS of holdfastd with 20 workers", at_20["holdfastd"] / 1024, " MB", 6)
        add("PSS of holdfastd and holdfast-output", (at_20["holdfastd"] + at_20["holdfast-output"]) / 1024, " MB", 9)
        if "holdfast-monitor" in at_20:
            add("PSS of holdfast-monitor", at_20["holdfast-monitor"] / 1024, " MB", 4)
            three = sum(at_20[name] for name in ("holdfastd", "holdfast-output", "holdfast-monitor"))
            add("PSS of these three", three / 1024, " MB", 13)
        if "holdfast-uplink" in at_20:
            add("PSS of all four, not enrolled", sum(at_20.values()) / 1024, " MB", 18)
        add("PSS growth for each worker", (sum(at_120.values()) - sum(at_20.values())) / 100, " KiB", 8)
    leak = results.get("restarts")
    if leak:
        # The first step fills caches and rings; from there on it has to be flat.
        first, last = leak[1], leak[-1]
        count = last["restarts"] - first["restarts"]
        add(
            f"growth of holdfastd's own memory over {count:,} restarts",
            last["holdfastd"]["anonymous_kib"] - first["holdfastd"]["anonymous_kib"], " KiB", 128, 0,
        )
        add("descriptors gained", last["holdfastd"]["descriptors"] - first["holdfastd"]["descriptors"], "", 0, 0)
    quiet = results.get("idle")
    if quiet:
        seconds = quiet["seconds"]
        switches = quiet["processes"]["holdfastd"]["voluntary_switches"]
        rows.append((f"context switches of holdfastd, idle for {seconds} s", str(switches), "0", switches == 0))
        add(f"CPU time of holdfastd, idle for {seconds} s", quiet["processes"]["holdfastd"]["cpu_ms"], " ms", 1, 3)
    spool = results.get("spool")
    if spool:
        ns = {name: values["median"] for name, values in spool["append_ns"].items()}
        for rows_in_one, target in (("one row", 20), ("ten rows", 5)):
            value = ns[f"sqlite, {rows_in_one}"] / ns["spool"]
            rows.append((f"spool append against SQLite, {rows_in_one} a transaction", f"{value:.0f} times as fast",
                         f"at least {target} times", value >= target))
        add("opening a spool of 256 MiB, slowest", max(spool["recover_256_mib_s"]), " s", 1, 3)
        add("bytes written for each byte of payload, commits of 1,000", spool["written_for_each_byte"], "", 1.2, 3)
    executor = results.get("executor")
    if executor:
        empty, plain = executor["empty"]["p50_ms"], executor["C baseline"]["p50_ms"]
        add(f"an empty command in a plugin, median ({empty / plain:.0f} times fork, exec and wait in C)", empty, " ms", 25, 1)
        add("a segfault of a plugin to its report, median", executor["crash"]["p50_ms"], " ms", 50, 1)
    deploy = measured(results, "deploy")
    if deploy:
        add(f"deployment of {deploy['megabytes']} MB against curl, sha256sum, tar and sync", deploy["ratio"], " times", 1.5)
        add("resident memory of the keeper of deployments above that for a few bytes", (deploy["peak_kib"] - deploy["idle_kib"]) / 1024,
            " MB", 24, 1)
        add("switch: from the old worker's stop to the new one's program, slowest", max(deploy["switch_ms"]), " ms", 50, 1)
        add("rollback: from the order to the old version's program, slowest", max(deploy["rollback_ms"]), " ms", 100, 1)
    central(results, add, rows)
    return rows


def central(results, add, rows):
    """Rows about holdfast-central. What could not be measured has none, and is said below the table."""
    device = measured(results, "device")
    if device:
        memory = {name: values["pss_kib"] / 1024 for name, values in device["memory"].items()}
        add("PSS of holdfast-uplink, connected", memory["holdfast-uplink"], " MB", 10)
        add("PSS of all four, connected, 20 workers", sum(memory.values()), " MB", 18)
        stream, day = device["throughput"], device["day_offline"]
        rows.append(("readings a second from a worker's socket into central's database", f"{stream['readings_per_s']:,}",
                     "at least 20,000", stream["readings_per_s"] >= 20_000))
        add("of these missing, or there twice", stream["missing"] + stream["twice"], "", 0, 0)
        add(f"a day offline, {day['sent']:,} readings: missing, or there twice", day["missing"] + day["twice"], "", 0, 0)
        add("readings of that day at central before the newest event", day["readings_before_newest_event"], "", 0, 0)
    fleet = measured(results, "fleet")
    if fleet:
        tls, plain = fleet["tls"], fleet["plain"]
        count = f"{tls['devices']:,} devices"
        add(f"{count}: a request that does not wait, p99", tls["requests"]["p99_ms"], " ms", 100, 1)
        add(f"{count}: errors", sum(tls["errors"].values()), "", 0, 0)
        add(f"{count}: records that were acknowledged and are not there", missing_records(tls), "", 0, 0)
        commands, succeeded = tls["commands"], tls["checks"]["commands_succeeded"]
        add(f"{count}: command to device, median", commands["delivery"]["p50_ms"], " ms", 20, 1)
        add("commands that did not arrive once, or did not succeed",
            commands["created"] - succeeded + commands["twice"] + commands["skipped"], "", 0, 0)
        add("central's memory for each waiting device, TLS", tls["pss_kib_for_each_device"], " KiB", 64, 1)
        add("central's memory for each waiting device, behind a proxy", plain["pss_kib_for_each_device"], " KiB", 24, 1)
    ingest = measured(results, "ingest")
    if ingest:
        rows.append(("readings a second into central", f"{ingest['readings_per_s']:,}", "at least 50,000",
                     ingest["readings_per_s"] >= 50_000))
        add("readings that were acknowledged and are not there", missing_records(ingest), "", 0, 0)
    peer = measured(results, "goosebit")
    if peer:
        rates = peer["requests_per_s"]
        value = rates["holdfast-central, commands"]["median"] / rates["goosebit"]["median"]
        rows.append(("polls answered a second against gooseBit", f"{value:.1f} times", "at least 5 times", value >= 5))


def measured(results, name):
    """`None` too when it could not be measured: the value is then a text that says why."""
    return results[name] if isinstance(results.get(name), dict) else None


def missing_records(load):
    checks = load["checks"]
    difference = abs(checks["acknowledged"] + checks["reported"] - checks["stored"])
    return int(difference + checks["readings_wrong"] + checks["devices_with_gaps"] + checks["devices_forked"])


def table(header, rows):
    widths = [max(len(str(cell)) for cell in column) for column in zip(header, *rows)]

    def line(cells):
        return "| " + " | ".join(str(cell).ljust(width) for cell, width in zip(cells, widths)) + " |"

    return "\n".join([line(header), "|" + "|".join("-" * (width + 2) for width in widths) + "|", *map(line, rows)])


def markdown(results):
    machine = results["machine"]
    text = [
        "# Benchmark report",
        f"Measured on {results['date']}: {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, "
        f"{machine['architecture']}, Linux {machine['kernel']}. Command: `{results['command']}`. "
        "What is measured, and how: [Benchmarks/README.md](../README.md).",
    ]
    rows = [(what, value, target, "met" if met else "**missed**") for what, value, target, met in judged(results)]
    if rows:
        text += ["## Targets", table(("what", "measured", "target", ""), rows)]
    for key, title in (
        ("kill_one", "SIGKILL of one of 10 workers to the first instruction of its replacement (ms)"),
        ("kill_100", "100 workers killed at once, until the last is back (ms)"),
    ):
        if key in results:
            rows = [
                (name, f"{v['p50_ms']:.3f}", f"{v['p99_ms']:.3f}", f"{v['max_ms']:.3f}",
                 "{:.3f} to {:.3f}".format(*v["rounds_p50_ms"]) if "rounds_p50_ms" in v else "-", v["samples"])
                for name, v in results[key].items()
            ]
            text += [f"## {title}", table(("system", "p50", "p99", "max", "p50 of rounds", "samples"), rows)]
    for key, title in (("start_10", "10"), ("start_1000", "1,000")):
        if key in results:
            rows = [
                (name, *(spread(v, part) for part in ("first_s", "last_s", "stop_s")), v["orphans"])
                for name, v in results[key].items()
            ]
            header = ("system", "first worker runs", "last worker runs", "stopped", "orphans")
            text += [f"## Start and stop of {title} workers (ms)", table(header, rows)]
    if "memory" in results:
        names = list(results["memory"]["workers_20"])
        rows = [
            (name, *(results["memory"][key][name]["pss_kib"] for key in ("workers_20", "workers_120")))
            for name in names
        ]
        text += ["## Memory (PSS, KiB)", table(("process", "20 workers", "120 workers"), rows)]
    if "restarts" in results:
        names = [name for name in results["restarts"][0] if name != "restarts"]
        rows = [
            (step["restarts"],
             *("{pss_kib} / {anonymous_kib} / {descriptors}".format(**step[name]) if name in step else "-"
               for name in names))
            for step in results["restarts"]
        ]
        text += ["## Restarts: PSS / own memory (KiB) / descriptors", table(("restarts", *names), rows)]
    if "idle" in results:
        rows = [
            (name, v["voluntary_switches"], v["involuntary_switches"], v["cpu_ms"])
            for name, v in results["idle"]["processes"].items()
        ]
        header = ("process", "voluntary switches", "involuntary switches", "CPU ms")
        text += [f"## Idle for {results['idle']['seconds']} s", table(header, rows)]
    if "spool" in results:
        rows = [(name, v["median"], f"{min(v['rounds'])} to {max(v['rounds'])}")
                for name, v in results["spool"]["append_ns"].items()]
        text += ["## Records of 100 bytes appended (ns each)", table(("store", "median", "rounds"), rows)]
    if results.get("peers"):
        rows = [
            (name, v, "") if isinstance(v, str) else (name, peer_cell(v, "calm"), peer_cell(v, "again_at_once"))
            for name, v in results["peers"].items()
        ]
        text += [
            "## Other supervisors: SIGKILL to the first instruction of the replacement (ms, p50)",
            table(("system", "after more than 1 s of peace", "killed again as soon as it is back"), rows),
        ]
    text += central_tables(results)
    return "\n\n".join(text) + "\n"


def central_tables(results):
    text = [f"## Central: {name}\n\n{results[name].capitalize()}" for name in ("device", "fleet", "ingest", "goosebit")
            if isinstance(results.get(name), str)]
    if measured(results, "device"):
        stream, day = results["device"]["throughput"], results["device"]["day_offline"]
        rows = [("a stream", f"{stream['sent']:,}", stream["sending_s"], "-", stream["s"], stream["readings_per_s"]),
                ("a day offline", f"{day['sent']:,}", day["writing_s"], day["first_reading_s"], day["drained_s"],
                 day["drained_per_s"])]
        header = ("readings", "sent", "worker had sent them after (s)", "first one at central (s)", "last one (s)", "a second")
        text += ["## From a worker's socket to central's database", table(header, rows)]
        rows = [(name, values["pss_kib"], results["device"]["memory_afterwards"][name]["pss_kib"])
                for name, values in results["device"]["memory"].items()]
        text += ["## The device's memory (PSS, KiB)", table(("process", "connected", "after a day's readings"), rows)]
    loads = [(f"fleet, {kind}", load) for kind, load in (measured(results, "fleet") or {}).items()]
    if measured(results, "ingest"):
        loads.append(("ingest, tls", results["ingest"]))
    if loads:
        rows = [(name, f"{load['devices']:,}", *(times(load, key) for key in ("requests", "enrolments", "connecting")),
                 times(load.get("commands", {}), "delivery"), load["readings_per_s"], errors(load))
                for name, load in loads]
        header = ("load", "devices", "request", "enrolment", "connecting", "command to device", "readings/s", "errors")
        text += ["## Central under load (ms: p50 / p99 / max)", table(header, rows)]
        rows = [(name, *(f"{load[key]['pss_kib']} / {load[key]['anonymous_kib']}" for key in
                         ("memory_before", "memory_waiting", "memory_measured")),
                 f"{load['pss_kib_for_each_device']} / {load['anonymous_kib_for_each_device']}",
                 share(load, "central_processor_s"), share(load, "measured_processor_s")) for name, load in loads]
        header = ("load", "before any device", "all enrolled (and waiting)", "after the load", "for each device",
                  "central's CPU", "generator's CPU")
        text += ["## Central's memory (PSS / own, KiB), and processors used", table(header, rows)]
    peer = measured(results, "goosebit")
    if peer:
        rows = [(name, v["median"], f"{min(v['rounds'])} to {max(v['rounds'])}")
                for name, v in peer["requests_per_s"].items()]
        text += [f"## Polls answered a second, {peer['connections']} kept connections without TLS",
                 table(("server", "median", "rounds"), rows)]
        if peer["errors"]:
            text.append(", ".join(f"{kind}: {count}" for kind, count in peer["errors"].items()))
    return text


def times(load, key):
    value = load.get(key)
    return "{p50_ms:.1f} / {p99_ms:.1f} / {max_ms:.1f}".format(**value) if value and value["count"] else "-"


def errors(load):
    return ", ".join(f"{kind}: {count}" for kind, count in load["errors"].items()) or "none"


def share(load, key):
    return f"{load[key] / load['seconds']:.2f}"


def spread(values, key):
    least, most = values["range_" + key]
    return f"{values[key] * 1000:.0f} ({least * 1000:.0f} to {most * 1000:.0f})"


def peer_cell(values, key):
    cell = f"{values[key]['p50_ms']:.2f}" if values[key] else "-"
    gave_up = values.get(key + "_gave_up_after")
    return cell if gave_up is None else f"{cell}, not back within 15 s after {gave_up} kills"


def write(results, folder, name):
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(results, indent=1) + "\n")
    (folder / f"{name}.md").write_text(markdown(results))
