"""Talks to holdfast-central with nothing of Holdfast's: signatures by http-message-signatures (RFC 9421), answers judged by
docs/openapi.yaml.

    interop.py URL CA_FILE OPENAPI_FILE ENROLMENT_TOKEN ADMIN_TOKEN FOLDER

FOLDER has a bundle, hello-1.0.0.tar.zst, and what it was signed with.
"""

import gzip
import hashlib
import json
import socket
import ssl
import sys
import threading
import time
import urllib.parse

import jsonschema
import requests
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography import x509
from openapi_spec_validator import validate

from device import Device, b64url, unb64url

url, ca, description, token, admin, folder = sys.argv[1:]
api = yaml.safe_load(open(description))
validate(api)
host, port = urllib.parse.urlparse(url).hostname, urllib.parse.urlparse(url).port
answered = set()


def resolve(schema):
    """The schema with every reference inside the document followed."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            node = api
            for part in schema["$ref"][2:].split("/"):
                node = node[part]
            return resolve(node)
        return {key: resolve(value) for key, value in schema.items()}
    return [resolve(item) for item in schema] if isinstance(schema, list) else schema


def judge(method, path, response):
    """Whether an answer is one that the description allows."""
    for template, item in api["paths"].items():
        parts, given = template.split("/"), path.split("/")
        if len(parts) == len(given) and all(p.startswith("{") or p == g for p, g in zip(parts, given)):
            if method.lower() in item:
                break
    else:
        raise SystemExit(f"{method} {path} is not described")
    responses = item[method.lower()]["responses"]
    answer = resolve(responses.get(str(response.status_code)) or responses["default"])
    answered.add((method.lower(), template))
    kind = response.headers.get("content-type", "").split(";")[0]
    content = answer.get("content", {})
    if not content:
        assert not response.content, (method, path, response.content)
        return
    assert kind in content, (method, path, response.status_code, kind, response.text[:300])
    if kind.endswith("json"):
        try:
            jsonschema.Draft202012Validator(content[kind]["schema"]).validate(response.json())
        except jsonschema.ValidationError as error:
            raise SystemExit(f"{method} {path} answered {response.text[:500]}: {error.message}")


def ask(method, path, body=None, bearer=admin, expect=200):
    response = requests.request(method, url + path, json=body, verify=ca, headers={"Authorization": f"Bearer {bearer}"}, timeout=20)
    judge(method, path.split("?")[0], response)
    assert response.status_code == expect, (method, path, response.status_code, response.text)
    return response.json() if response.headers.get("content-type", "").startswith("application/json") else response


# The token pins the key of the authority that signed central's certificate.
told = json.loads(unb64url(token.removeprefix("hf1.")))
authority = x509.load_pem_x509_certificate(open(ca, "rb").read()).public_key()
spki = authority.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
assert told["pins"] == [b64url(hashlib.sha256(spki).digest())], told
assert told["url"] == url, told

device = Device(url, ca, told["secret"], judge)
device.enrol()
moment = int(time.time() * 1000)
reading = {"w": "camera", "b": "3e1a99d04c5b", "m": 1, "v": {"fps": 30, "ok": True, "text": "x"}}
assert device.deliver(1, [{**reading, "t": moment - i} for i in range(100)]).json() == {"acknowledged": 100}
assert device.deliver(1, [{**reading, "t": moment - i} for i in range(100)]).json() == {"acknowledged": 100}
assert device.deliver(201, [{**reading, "t": 1}]).status_code == 409
assert device.deliver(101, [{}]).json()["line"] == 2
assert device.deliver(101, [{"gap": [101, 110]}], last=110).json() == {"acknowledged": 110}
incident = {"id": 1, "time": 1.5, "worker": "camera"}
common = {"t": moment, "b": "x", "m": 1}
device.deliver(1, [{**common, "e": "worker", "w": "camera", "name": "open", "data": {}},
                   {**common, "e": "incident", "incident": incident}], queue="events")
heartbeat = {"boot": "x", "up_s": 1.5, "now_ms": moment, "version": "0.1.0", "facts": {}, "labels": {}, "forked": False,
             "state": {}, "spools": {}}
device.send("POST", "/api/v1/device/heartbeat", json.dumps(heartbeat).encode())
fresh = Ed25519PrivateKey.generate()
public = fresh.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
change = {"public_key": b64url(public), "proof": b64url(fresh.sign(device.public))}
assert device.send("POST", "/api/v1/device/key", json.dumps(change).encode()).status_code == 200
device.key = fresh

where = "/api/v1/devices/" + device.id
ask("PATCH", where, {"labels": {"site": "a"}})
ask("GET", where)
assert ask("GET", "/api/v1/devices?selector=site=a&online=true")["devices"][0]["name"] == "<b>press</b>"
assert len(ask("GET", where + "/telemetry?name=fps")["series"][0]["points"]) == 100
assert sum(point[4] for point in ask("GET", where + "/telemetry?name=fps&step_ms=50")["series"][0]["points"]) == 100
assert len(ask("GET", where + "/telemetry/latest")["readings"]) == 3
assert ask("GET", where + "/gaps")["gaps"][0]["last"] == 110
assert len(ask("GET", "/api/v1/events")["events"]) == 2
assert len(ask("GET", "/api/v1/incidents")["incidents"]) == 1
ask("GET", "/api/v1/me")
made = ask("POST", "/api/v1/tokens", {"kind": "operator", "name": "eve", "role": "viewer"}, expect=201)
ask("POST", "/api/v1/commands", {"kind": "runtime.reload", "all": True}, bearer=made["token"], expect=403)
ask("GET", "/api/v1/tokens")
ask("DELETE", "/api/v1/tokens/" + made["id"], expect=204)
ask("GET", "/api/v1/me", bearer=made["token"], expect=401)
ask("GET", "/api/v1/audit")
ask("GET", "/healthz")
ask("GET", "/readyz")
open(folder + "/metrics", "w").write(ask("GET", "/metrics").text)

# A command reaches a device that waits for it, and a listener hears what becomes of it.
heard = []
stream = requests.get(url + "/api/v1/stream", verify=ca, stream=True, timeout=30, headers={"Authorization": f"Bearer {admin}"})
judge_stream = stream.headers["content-type"]
assert judge_stream == "text/event-stream", judge_stream
answered.add(("get", "/api/v1/stream"))
lines = stream.iter_lines()
assert next(lines).startswith(b":")
got = []
waiting = threading.Thread(target=lambda: got.append(device.send("GET", "/api/v1/device/commands?after=0&wait=30")))
waiting.start()
while not ask("GET", where)["connected"]:
    pass
command = ask("POST", "/api/v1/commands", {"kind": "diagnostics.collect", "selector": "site=a"}, expect=201)
waiting.join()
assert got[0].json()["commands"][0]["id"] == command["id"]
assert device.send("PUT", f"/api/v1/device/commands/{command['id']}/attachment", gzip.compress(b"{}")).status_code == 204
device.deliver(3, [{**common, "e": "command", "id": command["id"], "state": "succeeded", "message": "", "result": {}}], queue="events")
for line in lines:
    if line.startswith(b"event: command"):
        heard.append(json.loads(next(lines).removeprefix(b"data: "))["body"]["state"])
        if len(heard) == 2:
            break
assert heard == ["queued", "succeeded"], heard
stream.close()
shown = ask("GET", "/api/v1/commands/" + command["id"])
assert shown["counts"] == {"succeeded": 1} and shown["devices"][0]["attachment"], shown
assert gzip.decompress(ask("GET", f"/api/v1/commands/{command['id']}/devices/{device.id}/attachment").content) == b"{}"
ask("POST", f"/api/v1/commands/{command['id']}/cancel")
ask("GET", "/api/v1/commands")

# A bundle, and a deployment of it.
archive = open(folder + "/hello-1.0.0.tar.zst", "rb").read()
digest = hashlib.sha256(archive).hexdigest()
draft = {"file": "hello-1.0.0.tar.zst", "size": len(archive), "sha256": digest}
assert ask("POST", "/api/v1/bundles", draft, expect=202)["offset"] == 0


def patch(offset, content, expect):
    path = f"/api/v1/uploads/{digest}"
    response = requests.patch(url + path, data=content, verify=ca, timeout=20, headers={
        "Authorization": f"Bearer {admin}", "Upload-Offset": str(offset), "Content-Type": "application/octet-stream"})
    judge("PATCH", path, response)
    assert response.status_code == expect, (response.status_code, response.text)
    return response.json()


assert patch(0, archive[:100], 200)["offset"] == 100
assert patch(50, archive[50:], 409)["offset"] == 100
bundle = patch(100, archive[100:], 201)
assert ask("POST", "/api/v1/bundles", draft) == bundle and not bundle["signed"]
content = f"/api/v1/content/{digest}"
for headers, status, expected in [
        ({}, 200, archive), ({"Range": "bytes=10-19"}, 206, archive[10:20]), ({"Range": "bytes=-5"}, 206, archive[-5:]),
        ({"Range": "bytes=999999-"}, 416, None), ({"If-None-Match": f'"{digest}"'}, 304, b"")]:
    response = requests.get(url + content, headers=headers, verify=ca, timeout=20)
    judge("GET", content, response)
    assert response.status_code == status and expected in (None, response.content), (headers, response.status_code)
response = requests.head(url + content, verify=ca, timeout=20)
judge("HEAD", content, response)
assert response.headers["Content-Length"] == str(len(archive)) and response.headers["ETag"] == f'"{digest}"'

for name in ["root.json", "targets.json"]:
    signed = open(f"{folder}/{name}", "rb").read()
    path = "/api/v1/metadata/" + name
    response = requests.put(url + path, data=signed, verify=ca, timeout=20, headers={"Authorization": f"Bearer {admin}"})
    judge("PUT", path, response)
    assert response.status_code == 200 and response.json()["verified"], response.text
    assert requests.get(url + path, verify=ca, headers={"Authorization": f"Bearer {admin}"}).content == signed
    given = device.send("GET", "/api/v1/device/metadata/" + name)
    assert given.content == signed
    assert device.send("GET", "/api/v1/device/metadata/" + name, headers={"If-None-Match": given.headers["ETag"]}).status_code == 304
ask("GET", "/api/v1/metadata/targets.json")
assert ask("GET", "/api/v1/bundles?name=hello")["bundles"][0]["signed"]

deployment = ask("POST", "/api/v1/deployments", {"bundle": "hello", "version": "1.0.0", "selector": "site=a"}, expect=201)
order = device.send("GET", f"/api/v1/device/commands?after={got[0].json()['commands'][0]['sequence']}").json()["commands"][0]
assert order["kind"] == "bundle.deploy" and order["payload"] == {
    "bundle": "hello", "version": bundle["version"], "file": "hello-1.0.0.tar.zst"}, order
device.deliver(4, [{**common, "e": "command", "id": order["id"], "state": "running", "message": "probation"}], queue="events")
where_deployed = "/api/v1/deployments/" + deployment["id"]
assert ask("GET", where_deployed)["devices"][0]["message"] == "probation"
ask("DELETE", f"/api/v1/bundles/hello/{bundle['version']}", expect=409)
assert ask("POST", where_deployed + "/pause")["state"] == "paused"
assert ask("POST", where_deployed + "/resume")["state"] == "running"
device.deliver(5, [{**common, "e": "command", "id": order["id"], "state": "succeeded"}], queue="events")
assert ask("GET", where_deployed)["counts"] == {"committed": 1}
ask("POST", where_deployed + "/cancel", expect=409)
back = ask("POST", "/api/v1/deployments", {"kind": "rollback", "bundle": "hello", "all": True}, expect=201)
assert ask("POST", f"/api/v1/deployments/{back['id']}/cancel")["devices"][0]["state"] == "cancelled"
assert [d["id"] for d in ask("GET", "/api/v1/deployments?bundle=hello")["deployments"]] == [back["id"], deployment["id"]]
ask("GET", f"/api/v1/bundles/hello/{bundle['version']}")
ask("DELETE", "/api/v1/bundles/hello/1.0.0", expect=204)
assert requests.get(url + content, verify=ca).status_code == 404

# Those that send slowly, never end, or lie about their length get nothing of the others' time.
trust = ssl.create_default_context(cafile=ca)
idle = [trust.wrap_socket(socket.create_connection((host, port)), server_hostname=host) for _ in range(50)]
for connection in idle:
    connection.sendall(b"POST /api/v1/device/telemetry HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nx")
began = time.monotonic()
ask("GET", where)
assert time.monotonic() - began < 2, "slow clients slow others down"
huge = trust.wrap_socket(socket.create_connection((host, port)), server_hostname=host)
huge.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 100_000)
assert b"400" in huge.recv(1000).split(b"\r\n")[0], "a head without end"
for connection in idle:
    connection.close()

ask("POST", where + "/revoke")
assert device.send("GET", "/api/v1/device/commands").status_code == 403
ask("POST", where + "/approve", expect=409)
ask("DELETE", where, expect=204)
assert device.send("GET", "/api/v1/device/commands").status_code == 401
everything = {(method, path) for path, item in api["paths"].items() for method in item if method != "parameters"}
assert answered == everything, f"not tried: {everything - answered}"
print(f"{len(answered)} routes answered as docs/openapi.yaml says, to signatures of another implementation")
