"""What 94-executor asks of a runtime: check.py FOLDER HOLDFASTD WORKER UPLINK (the last three are pids)"""

import json
import os
import statistics
import sys
import time

from call import Runtime, execute

place, holdfastd, worker, uplink = sys.argv[1], *map(int, sys.argv[2:5])
path = f"{place}/run/control.sock"
runtime = Runtime(path)
failures = []


def expect(condition, what):
    if not condition:
        failures.append(what)
        print("94-executor: failed:", what, file=sys.stderr)


def last(replies):
    return replies[-1].get("parameters", {})


# Plugins: what is refused says why.

plugins = {plugin["name"]: plugin for plugin in runtime.call("Plugins")["parameters"]["plugins"]}
expect(plugins["trial"]["state"] == "ready", f"trial can be used: {plugins['trial']}")
expect(plugins["trial"]["version"] == "1.2.3", "the version is known")
expect(plugins["trial"]["missing_grants"] == ["tree-read", "bundle"], "what it would like is known")
for name, words in [
    ("changed", "has the SHA-256"), ("loose", "can be written by others"), ("stranger", "belongs to the user"),
    ("link", "is a link"), ("open", "can be written by others"), ("missing", "there is no"),
]:
    plugin = plugins[name]
    expect(plugin["state"] == "refused" and words in plugin["reason"], f"{name} is refused: {plugin}")
    refusal = execute(path, id=f"refused-{name}", kind=f"{name}.x")[-1]
    expect(refusal.get("error", "").endswith("ExecutionRefused") and words in refusal["parameters"]["message"],
           f"a command of {name} is refused: {refusal}")
expect(execute(path, id="unknown", kind="no.such")[-1].get("error", "").endswith("ExecutionRefused"), "an unknown kind")

# A command: its result, and the same one again.

replies = execute(path, id="echo", kind="trial.echo", payload={"text": "ü", "n": 1})
expect(last(replies)["state"] == "succeeded" and last(replies)["result"] == {"text": "ü", "n": 1}, f"echo: {replies}")
again = execute(path, id="echo", kind="trial.echo", payload={"text": "ü", "n": 1})
expect(len(again) == 1 and last(again) == last(replies), f"the same id answers the same: {again}")
other = execute(path, id="echo", kind="trial.echo", payload={"n": 2})
expect("another command" in other[-1]["parameters"].get("message", ""), f"another one under its id is refused: {other}")
large = {"text": "x" * 60_000}
expect(last(execute(path, id="large-payload", kind="trial.echo", payload=large))["result"] == large, "a large payload")

# What a plugin does wrong.

for kind, code, limit in [
    ("crash", "crashed", 5), ("abort", "crashed", 5), ("exit", "exited", 5), ("nothing", "no-result", 5),
    ("close", "disconnected", 5), ("leak", None, 20), ("large", "failed", 5), ("nonsense", "garbled", 5),
    ("hang", "hung", 0.5), ("spin", "hung", 0.5), ("flood", None, 10),
]:
    began = time.monotonic()
    end = last(execute(path, id=f"bad-{kind}", kind=f"trial.{kind}", time_limit_s=limit))
    took = time.monotonic() - began
    expect(end["state"] == "failed" or kind == "flood", f"{kind} fails: {end}")
    expect(code is None or end["code"] == code, f"{kind} fails as {code}: {end}")
    expect(took < limit + 8, f"{kind} took {took:.1f} s")
expect("about to crash" in "".join(
    reply["parameters"].get("log") or "" for reply in execute(path, id="words", kind="trial.crash")),
    "what it has printed is told")

# What it was not granted.

payload = {"state_dir": f"{place}/state", "runtime_dir": f"{place}/run", "holdfastd": str(holdfastd),
           "uplink": str(uplink), "worker": str(worker)}
waiting = Runtime(path)
waiting.send("Execute", {"id": "peer", "kind": "trial.sleep"}, more=True)
found = last(execute(path, id="attack", kind="trial.attack", payload=payload)).get("result") or {}
for what in ["read_key", "write_bundles", "write_other", "control_socket", "read_shadow", "read_passwd", "write_etc",
             "signal_holdfastd", "signal_uplink", "signal_worker", "signal_parent", "fork", "internet", "become_root"]:
    expect(found.get(what) not in (None, "done", "ESRCH"), f"it may not {what}: {found.get(what)}")
for what in ["own_state", "own_tmp"]:
    expect(found.get(what) == "done", f"it may use its {what}: {found.get(what)}")
for what in ["ask_status", "ask_stop", "activate_bundle"]:
    expect(found.get(what) == -2, f"{what} is refused: {found.get(what)}")
expect(found.get("emit") == 0, f"it may report telemetry: {found.get('emit')}")
expect(found.get("uid") == 64905, f"it has a user of its own: {found.get('uid')}")
expect(not os.path.exists(f"{place}/state/bundles/planted"), "nothing was written into the bundle store")
while waiting.receive().get("continues"):
    pass

# Cancelling; what waits, and what runs beside others.

first = Runtime(path)
first.send("Execute", {"id": "wait-1", "kind": "trial.wait"}, more=True)
while not first.receive()["parameters"].get("message"):
    pass
second = Runtime(path)
second.send("Execute", {"id": "wait-2", "kind": "trial.wait"}, more=True)
expect(second.receive()["parameters"]["state"] == "queued", "of such a kind only one runs")
expect("error" not in runtime.call("CancelExecution", {"id": "wait-2"}), "one that waits is cancelled")
expect(second.receive()["parameters"]["code"] == "cancelled", "and fails so")
expect("error" not in runtime.call("CancelExecution", {"id": "wait-1"}), "one that runs is cancelled")
end = first.receive()["parameters"]
expect(end["code"] == "cancelled" and "good order" in end["message"], f"and says its last words: {end}")
expect(runtime.call("CancelExecution", {"id": "nobody"})["error"].endswith("NoSuchExecution"), "an unknown id")
began = time.monotonic()
sleepers = [Runtime(path) for _ in range(3)]
for number, sleeper in enumerate(sleepers):
    sleeper.send("Execute", {"id": f"sleep-{number}", "kind": "trial.sleep"}, more=True)
for sleeper in sleepers:
    while (reply := sleeper.receive()).get("continues"):
        pass
    expect(reply["parameters"]["state"] == "succeeded", f"sleeping: {reply}")
expect(time.monotonic() - began < 0.8, "kinds that may run beside each other do")

# A client that goes away takes nothing with it.

gone = Runtime(path)
gone.send("Execute", {"id": "gone", "kind": "trial.sleep"}, more=True)
gone.receive()
gone.socket.close()
expect(last(execute(path, id="gone", kind="trial.sleep"))["result"] == "slept", "whoever asks again hears the end")

# Nobody has noticed, and nothing is left.

for name, pid in [("holdfastd", holdfastd), ("worker", worker), ("uplink", uplink)]:
    expect(os.path.exists(f"/proc/{pid}"), f"{name} lives")
status = {entry["name"]: entry for entry in runtime.call("Status")["parameters"]["workers"]}
expect(all(entry["restarts"] == 0 for entry in status.values()), f"nobody was restarted: {status}")


def leftovers():
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            name = open(f"/proc/{pid}/comm").read().strip()
            if os.stat(f"/proc/{pid}").st_uid in (64904, 64905):
                found.append((pid, name))
        except OSError:
            pass
    return found


deadline = time.monotonic() + 5
while leftovers() and time.monotonic() < deadline:
    time.sleep(0.05)
expect(not leftovers(), f"nothing is left: {leftovers()}")

times = []
for number in range(20):
    began = time.monotonic()
    execute(path, id=f"time-{number}", kind="trial.echo")
    times.append(1000 * (time.monotonic() - began))
crashes = []
for number in range(10):
    began = time.monotonic()
    execute(path, id=f"crash-{number}", kind="trial.crash")
    crashes.append(1000 * (time.monotonic() - began))
print(f"94-executor: an empty command takes {statistics.median(times):.1f} ms, a crash {statistics.median(crashes):.1f} ms")
sys.exit(1 if failures else 0)
