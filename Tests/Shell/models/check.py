"""What 95-models checks while its runtime runs: check.py PLACE CENTRAL.PY PORT."""
import base64
import hashlib
import http.client
import io
import json
import os
import random
import subprocess
import sys
import threading
import time
import wave

import numpy

place, script, port = sys.argv[1], sys.argv[2], int(sys.argv[3])


def start_central():
    read, write = os.pipe()
    os.set_inheritable(read, True)
    # The script takes its orders on descriptor 3.
    central = subprocess.Popen(["sh", "-c", 'exec 3<&%d; exec python3 "$0" "$1"' % read, script, place + "/central"],
                               stdout=subprocess.PIPE, text=True, pass_fds=[read])
    orders = os.fdopen(write, "w", buffering=1)
    hello = json.loads(central.stdout.readline())
    asked, dumps = [], []

    def listen():
        for line in central.stdout:
            said = json.loads(line)
            if "content" in said:
                asked.append(said)
            if "dump" in said:
                dumps.append(said["dump"])
            assert "complaint" not in said, said

    threading.Thread(target=listen, daemon=True).start()
    return central, orders, hello, asked, dumps


def holdfast(*arguments):
    return subprocess.run(["holdfast", *arguments], capture_output=True, text=True, timeout=120)


def execute(kind, payload):
    result = holdfast("execute", kind, "--payload", json.dumps(payload))
    return json.loads(result.stdout) if result.returncode == 0 else None, result.stderr


def succeed(kind, payload):
    value, words = execute(kind, payload)
    assert value is not None, words
    return value


def resampled(path):
    """The speech at 16 kHz, as a WAV file."""
    with wave.open(path) as file:
        rate = file.getframerate()
        samples = numpy.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(numpy.float64)
    count = int(len(samples) * 16000 / rate)
    new = numpy.interp(numpy.arange(count) * rate / 16000, numpy.arange(len(samples)), samples).astype("<i2")
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(new.tobytes())
    return out.getvalue()


def infer(body, content_type="audio/wav"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/v2/models/speech/infer", body, {"Content-Type": content_type})
    answer = connection.getresponse()
    value = json.loads(answer.read())
    connection.close()
    assert answer.status == 200, (answer.status, value)
    return value["model_version"], value["outputs"][0]["data"]


def order(path, **more):
    with open(path, "rb") as file:
        content = file.read()
    silence = {"inputs": [{"name": "audio", "shape": [1, 1024], "datatype": "FP32", "data": [0] * 1024}]}
    return dict({"worker": "ears", "model": "speech", "sha256": hashlib.sha256(content).hexdigest(), "length": len(content),
                 "tell": {"http": "http://127.0.0.1:%d" % port},
                 "warm_up": [{"path": "/v2/models/speech/infer", "body": silence}] * 3}, **more)


class Traffic:
    """Requests from several threads; every answer is looked at."""

    def __init__(self, body):
        self.versions, self.failures, self.isOver = [], [], False
        self.threads = [threading.Thread(target=self.ask, args=(body,)) for _ in range(3)]
        for thread in self.threads:
            thread.start()

    def ask(self, body):
        while not self.isOver:
            try:
                version, scores = infer(body)
                assert max(scores) > 0.9, max(scores)
                self.versions.append(version)
            except Exception as error:
                self.failures.append(repr(error))

    def finish(self):
        # Some after the change.
        count = len(self.versions) + 6
        while len(self.versions) < count and not self.failures:
            time.sleep(0.01)
        self.isOver = True
        for thread in self.threads:
            thread.join()
        assert not self.failures, self.failures[:3]
        return self.versions


central, orders, hello, asked, dumps = start_central()
models = [place + "/models/" + name for name in ("silero_vad.onnx", "silero_vad_16k_op15.onnx", "silero_vad_half.onnx")]
broken = place + "/models/broken.onnx"
with open(models[0], "rb") as file, open(broken, "wb") as copy:
    copy.write(file.read()[:100_000])
orders.write(json.dumps({"files": models + [broken]}) + "\n")
old, new, third, none = order(models[0]), order(models[1]), order(models[2]), order(broken)

# Not enrolled: nobody can fetch anything.
value, words = execute("model.load", old)
assert value is None and "unavailable" in words, words

token = {"url": "https://localhost:%d" % hello["port"], "pins": [hello["pin"]],
         "secret": base64.urlsafe_b64encode(b"\7" * 32).rstrip(b"=").decode()}
text = "hf1." + base64.urlsafe_b64encode(json.dumps(token).encode()).rstrip(b"=").decode()
enrolled = holdfast("enrol", text)
assert enrolled.returncode == 0, enrolled.stderr

# The first one: fetched in spite of a link that breaks, loaded, warmed up.
orders.write(json.dumps({"faults": {"silero_vad.onnx": ["cut", "500"]}}) + "\n")
result = succeed("model.load", old)
assert result["sha256"] == old["sha256"] and result["first_answer_s"] < 5 and result["load_s"] > 0, result
print("loaded:", result)
speech = resampled(place + "/speech.wav")
version, scores = infer(speech)
assert version == old["sha256"] and max(scores) > 0.9 and min(scores) < 0.3, scores
assert len([one for one in asked if one["content"] == "silero_vad.onnx"]) == 3, asked

# Another one under traffic.
traffic = Traffic(speech)
result = succeed("model.load", new)
assert result["former"] == old["sha256"], result
versions = traffic.finish()
assert versions[0] == old["sha256"] and versions[-1] == new["sha256"] and len(set(versions)) == 2, set(versions)
print("changed under %d requests:" % len(versions), result)

# One that is none, and one that does not warm up: the old one goes on.
traffic = Traffic(speech)
value, words = execute("model.load", none)
assert value is None and "does not load it" in words and "serves the former model" in words, words
refused = dict(old, warm_up=[{"path": "/v2/models/speech/infer", "body": {"inputs": []}}])
value, words = execute("model.load", refused)
assert value is None and "has not warmed up" in words and "serves the former model" in words, words
assert set(traffic.finish()) <= {old["sha256"], new["sha256"]}
assert infer(speech)[0] == new["sha256"]
wrong = dict(new, sha256="0" * 64)
value, words = execute("model.load", wrong)
assert value is None and "not-found" in words, words
lie = dict(none, length=none["length"] - 1)
os.unlink(place + "/state/models/objects/" + none["sha256"])
value, words = execute("model.load", lie)
assert value is None and "wrong" in words, words
assert infer(speech)[0] == new["sha256"]

# Its times came as telemetry.
def reported():
    orders.write('{"dump": true}\n')
    records = dumps[-1]["records"].get("readings", {}).values() if dumps else []
    return [record["v"] for record in records if record.get("w") == "holdfast-plugin.model-load"]


deadline = time.monotonic() + 30
while len(reported()) < 2 and time.monotonic() < deadline:
    time.sleep(0.2)
readings = reported()
assert len(readings) == 2 and all({"fetch_s", "load_s", "warm_up_s", "first_answer_s"} <= set(one) for one in readings), readings

# The uplink is killed in the midst of a download: the next one goes on with what is there.
orders.write(json.dumps({"link": {"bytes_per_s": 300_000}}) + "\n")
command = subprocess.Popen(["holdfast", "execute", "model.load", "--payload", json.dumps(third)], stdout=subprocess.PIPE)
partial = place + "/state/models/partial/" + third["sha256"]
deadline = time.monotonic() + 30
while (not os.path.exists(partial) or os.path.getsize(partial) < 100_000) and time.monotonic() < deadline:
    time.sleep(0.02)
assert subprocess.run(["pkill", "-9", "-U", "64903"]).returncode == 0
assert command.wait(60) == 0
assert infer(speech)[0] == third["sha256"]
ranges = [one["range"] for one in asked if one["content"] == "silero_vad_half.onnx"]
assert ranges[0] is None and len(ranges) == 2 and int(ranges[1][6:-1]) >= 100_000, ranges
orders.write('{"link": {}}\n')

# Back, without the network and under traffic.
central.kill()
central.wait()
traffic = Traffic(speech)
result = succeed("model.load", old)
assert traffic.finish()[-1] == old["sha256"]
assert os.readlink(place + "/state/models/serving/ears/speech").endswith(old["sha256"])
print("went back:", result)
succeed("model.pin", {"sha256": new["sha256"], "pinned": True, "priority": 3})
with open(place + "/state/models/notes/" + new["sha256"]) as note:
    assert json.load(note)["pinned"] is True

# Killed in the midst of it, wherever that is: the worker answers, what is committed is one of the two, and the next command gets on.
for round in range(8):
    wanted = [new, old][round % 2]
    command = subprocess.Popen(["holdfast", "execute", "model.load", "--payload", json.dumps(wanted)],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    # The executor, or the plugin.
    user = ["64904", "64905"][round // 2 % 2]
    deadline = time.monotonic() + 5
    while subprocess.run(["pgrep", "-U", user], stdout=subprocess.DEVNULL).returncode and time.monotonic() < deadline:
        pass
    time.sleep(random.uniform(0, 0.15))
    killed = subprocess.run(["pkill", "-9", "-U", user]).returncode == 0
    command.wait(60)
    assert infer(speech)[0] in (old["sha256"], new["sha256"])
    serving = os.readlink(place + "/state/models/serving/ears/speech").rpartition("/")[2]
    assert serving in (old["sha256"], new["sha256"]), serving
    succeed("model.load", wanted)
    assert infer(speech)[0] == wanted["sha256"]
    print("round %d: %s" % (round, "killed" if killed else "was faster"))
succeed("model.load", old)

# A damaged model is found before the worker hears of it.
with open(place + "/state/models/objects/" + new["sha256"], "r+b") as file:
    file.seek(1000)
    byte = file.read(1)
    file.seek(1000)
    file.write(bytes([byte[0] ^ 1]))
value, words = execute("model.load", dict(new, download_within_s=1))
assert value is None, "a damaged model was served"
assert infer(speech)[0] == old["sha256"]

succeed("model.unload", {"worker": "ears", "model": "speech", "tell": old["tell"]})
assert not os.path.lexists(place + "/state/models/serving/ears/speech")
succeed("model.load", old)
