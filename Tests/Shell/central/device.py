"""A device as docs/fleet-protocol.md says, with the RFC 9421 of http-message-signatures."""

import base64
import datetime
import gzip
import hashlib
import json
import os
import time

import http_message_signatures as signatures
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Key(signatures.HTTPSignatureKeyResolver):
    def __init__(self, key):
        self.key = key

    def resolve_private_key(self, key_id):
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


class Device:
    def __init__(self, url, ca, secret, judge=lambda method, path, response: None):
        self.url, self.judge = url, judge
        self.key = Ed25519PrivateKey.generate()
        self.public = self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.secret = secret
        self.id = "key:" + b64url(self.public)
        self.session = requests.Session()
        self.session.verify = ca

    def send(self, method, path, content=b"", headers=None, clock=0):
        request = requests.Request(method, self.url + path, data=content, headers=headers or {}).prepare()
        covered = ["@method", "@path", "@query"]
        if content:
            request.headers["Content-Digest"] = "sha-256=:%s:" % base64.b64encode(hashlib.sha256(content).digest()).decode()
            covered.append("content-digest")
        signer = signatures.HTTPMessageSigner(
            signature_algorithm=signatures.algorithms.ED25519, key_resolver=Key(self.key))
        signer.sign(request, key_id=self.id, label="hf", tag="holdfast", nonce=b64url(os.urandom(16)),
                    covered_component_ids=covered, include_alg=True, created=datetime.datetime.fromtimestamp(int(time.time()) + clock),
                    use_existing_digest=bool(content))
        response = self.session.send(request, timeout=60)
        self.judge(method, path.split("?")[0], response)
        return response

    def enrol(self):
        content = json.dumps({"secret": self.secret, "public_key": b64url(self.public), "name": "<b>press</b>", "facts": {}})
        response = self.send("POST", "/api/v1/enrol", content.encode(), {"Content-Type": "application/json"})
        assert response.status_code == 200, response.text
        self.id = response.json()["device"]

    def deliver(self, first, records, queue="readings", clock=0, **header):
        header = {"spool": ("a" if queue == "readings" else "b") * 32, "queue": queue, "first": first,
                  "last": first + len(records) - 1, "sent_ms": int(time.time() * 1000), **header}
        lines = "\n".join(json.dumps(line) for line in [header, *records])
        return self.send("POST", "/api/v1/device/telemetry", gzip.compress(lines.encode()),
                         {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}, clock)
