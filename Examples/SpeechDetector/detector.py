#!/usr/bin/env python3
"""A worker that tells speech from other sounds, and changes its model while it serves.

    detector.py --model PATH --name speech --port 8700

PATH is where Holdfast says which model is to be served (docs/models.md); nothing there is no model yet. Any ONNX model with the
interface of silero-vad will do (inputs input, state, sr; 16 kHz).

    POST /v2/models/NAME/infer             audio/wav (16 kHz, mono, 16 bit), or JSON of the Open Inference Protocol
    GET  /v2/models/NAME[/ready]           which model is served; whether one is
    POST /v2/repository/models/NAME/load   {"parameters": {"path": ..., "sha256": ...}}
    POST /v2/repository/models/NAME/unload

A request keeps the model that it has begun with. A model that cannot be loaded, or does not score silence as silence, changes nothing.
"""
import argparse
import hashlib
import http.server
import io
import json
import os
import socket
import threading
import time
import wave

import numpy
import onnxruntime

RATE, WINDOW, CONTEXT = 16000, 512, 64
LONGEST_BODY = 16 << 20


class Model:
    """One loaded model; may be used by several threads."""

    def __init__(self, path, sha256=None):
        with open(path, "rb") as file:
            content = file.read()
        self.sha256 = hashlib.sha256(content).hexdigest()
        if sha256 not in (None, self.sha256):
            raise ValueError("the file has the SHA-256 %s" % self.sha256)
        options = onnxruntime.SessionOptions()
        options.inter_op_num_threads = options.intra_op_num_threads = 1
        options.log_severity_level = 4
        self.session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self.takes_rate = "sr" in [value.name for value in self.session.get_inputs()]
        silence = self.score(numpy.zeros(RATE // 2, dtype=numpy.float32))
        if not max(silence) < 0.5:
            raise ValueError("it takes silence for speech")

    def score(self, samples):
        """How likely each window of 32 ms is speech."""
        state = numpy.zeros((2, 1, 128), dtype=numpy.float32)
        context = numpy.zeros(CONTEXT, dtype=numpy.float32)
        scores = []
        for start in range(0, len(samples) - WINDOW + 1, WINDOW):
            window = samples[start:start + WINDOW]
            inputs = {"input": numpy.concatenate([context, window])[None, :], "state": state}
            if self.takes_rate:
                inputs["sr"] = numpy.array(RATE, dtype=numpy.int64)
            output, state = self.session.run(None, inputs)[:2]
            scores.append(float(output.reshape(-1)[0]))
            context = window[-CONTEXT:]
        if not scores:
            raise ValueError("%d samples are less than a window of %d" % (len(samples), WINDOW))
        return scores


class Detector:
    def __init__(self, name):
        self.name, self.model = name, None
        self.loading = threading.Lock()

    def load(self, path, sha256=None):
        with self.loading:
            model = Model(path, sha256)
            # One assignment: a request has the one or the other.
            self.model = model

    def unload(self):
        with self.loading:
            self.model = None


def samples_of(content_type, body):
    if content_type == "audio/wav":
        with wave.open(io.BytesIO(body)) as file:
            if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (RATE, 1, 2):
                raise ValueError("it has to be 16 kHz, mono, 16 bit")
            return numpy.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(numpy.float32) / 32768
    data = json.loads(body)["inputs"][0]["data"]
    return numpy.asarray(data, dtype=numpy.float32).reshape(-1)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, *arguments):
        pass

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        model = detector.model
        if self.path == "/v2/models/%s/ready" % detector.name:
            return self.answer(200 if model else 503, {"ready": model is not None})
        if self.path == "/v2/models/%s" % detector.name:
            return self.answer(200, {"name": detector.name, "versions": [model.sha256] if model else [], "platform": "onnx"})
        self.answer(404, {"error": "there is no %s" % self.path})

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        if not 0 <= length <= LONGEST_BODY:
            self.close_connection = True
            return self.answer(413, {"error": "at most %d bytes are taken" % LONGEST_BODY})
        body = self.rfile.read(length)
        try:
            if self.path == "/v2/models/%s/infer" % detector.name:
                return self.infer(body)
            if self.path == "/v2/repository/models/%s/load" % detector.name:
                parameters = json.loads(body)["parameters"]
                detector.load(parameters["path"], parameters.get("sha256"))
                return self.answer(200, {})
            if self.path == "/v2/repository/models/%s/unload" % detector.name:
                detector.unload()
                return self.answer(200, {})
        except Exception as error:  # Whatever a model or a request is: the worker goes on.
            return self.answer(400, {"error": "%s: %s" % (type(error).__name__, error)})
        self.answer(404, {"error": "there is no %s" % self.path})

    def infer(self, body):
        model = detector.model
        if not model:
            return self.answer(503, {"error": "there is no model yet"})
        scores = model.score(samples_of(self.headers.get("Content-Type"), body))
        self.answer(200, {"model_name": detector.name, "model_version": model.sha256, "outputs": [
            {"name": "speech", "datatype": "FP32", "shape": [len(scores)], "data": scores}]})


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


def notify(text):
    path = os.environ.get("NOTIFY_SOCKET")
    if path:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifier:
            notifier.connect("\0" + path[1:] if path[0] == "@" else path)
            notifier.send(text.encode())


arguments = argparse.ArgumentParser()
arguments.add_argument("--model", required=True)
arguments.add_argument("--name", default="speech")
arguments.add_argument("--port", type=int, default=8700)
arguments = arguments.parse_args()
detector = Detector(arguments.name)
began = time.monotonic()
try:
    detector.load(arguments.model)
    print(json.dumps({"loaded_at_start_s": round(time.monotonic() - began, 3)}), flush=True)
except OSError as error:
    print("no model yet: %s" % error, flush=True)
except Exception as error:  # One that cannot be loaded any more: another may come.
    print("the model cannot be loaded: %s" % error, flush=True)
server = Server(("127.0.0.1", arguments.port), Handler)
notify("READY=1")
server.serve_forever()
