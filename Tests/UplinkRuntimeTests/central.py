#!/usr/bin/env python3
"""A central of the tests' own: docs/fleet-protocol.md for one device, over TLS, with faults on demand.

    central.py FOLDER [good|expired|weak-host]

Makes a CA and a certificate in FOLDER. Prints JSON lines: {"port", "pin"} first, then one for each request, and {"taken"} for each order. Takes JSON lines on descriptor 3:
{"faults": {"/device/telemetry": ["500", "drop", ...]}}  the next requests of a path end so
{"command": {...}}     goes to the device      {"skew": SECONDS}   central's clock
{"link": {"bytes_per_s": 2000, "dies_every_s": 1}}    what is between the device and central; {} is nothing
{"mode": "pending|enrolled|refused|revoked"}   {"backup": true}, {"restore": true}, {"dump": true}
{"content": {"name": SIZE}}     content of so many random bytes, as a file of that name in FOLDER; {"stored", "sha256"} is printed
{"files": ["/path"]}            the same for the content of files
{"metadata": {"targets.json": "text"}}
"""
import base64, gzip, hashlib, http.server, json, os, socket, ssl, subprocess, sys, threading, time

folder, kind = sys.argv[1], (sys.argv[2:] or ["good"])[0]
lock, news = threading.RLock(), threading.Condition()
state = {"applied": {}, "records": {}, "repeated": 0}
backup, faults, commands, nonces, skew = None, {}, [], set(), 0
mode, device_key, link = "enrolled", None, {}
contents, metadata = {}, {}
DEVICE = "00112233aabbccdd"


def run(*command, data=None):
    return subprocess.run(command, input=data, check=True, capture_output=True, cwd=folder).stdout


def make_certificates():
    run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "ca.key")
    run("openssl", "req", "-x509", "-key", "ca.key", "-subj", "/CN=test CA", "-days", "3650", "-out", "ca.pem")
    run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "leaf.key")
    run("openssl", "req", "-new", "-key", "leaf.key", "-subj", "/CN=central", "-out", "leaf.csr")
    names = "DNS:elsewhere.example" if kind == "weak-host" else "DNS:localhost,IP:127.0.0.1"
    with open(folder + "/leaf.ext", "w") as file:
        file.write("subjectAltName=%s\nextendedKeyUsage=serverAuth\n" % names)
    days = "0" if kind == "expired" else "30"
    run("openssl", "x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", days,
        "-extfile", "leaf.ext", "-out", "leaf.pem")
    with open(folder + "/chain.pem", "wb") as file:
        file.write(open(folder + "/leaf.pem", "rb").read() + open(folder + "/ca.pem", "rb").read())
    public = run("openssl", "pkey", "-in", "ca.key", "-pubout", "-outform", "DER")
    return base64.urlsafe_b64encode(hashlib.sha256(public).digest()).rstrip(b"=").decode()


def say(**line):
    with lock:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signed_by(key, message, signature):
    """Ed25519 by the command line of OpenSSL: a second opinion."""
    der = bytes.fromhex("302a300506032b6570032100") + key
    name = folder + "/verify-%d" % threading.get_ident()
    for suffix, data in ((".key", der), (".message", message), (".signature", signature)):
        with open(name + suffix, "wb") as file:
            file.write(data)
    return subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", name + ".key", "-rawin",
                           "-in", name + ".message", "-sigfile", name + ".signature"], capture_output=True).returncode == 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 120

    def log_message(self, *arguments):
        pass

    def date_time_string(self, timestamp=None):
        return super().date_time_string(time.time() + skew)

    def do_GET(self):
        self.serve(b"")

    def do_POST(self):
        self.serve(self.rfile.read(int(self.headers["Content-Length"])))

    do_PUT = do_POST

    def reply(self, status, value=None, content_type="application/json", **fields):
        body = b"" if value is None else json.dumps(value).encode()
        self.raw(status, body, content_type, **fields)

    def raw(self, status, body, content_type="application/json", cut=0, **fields):
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body) + cut))
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def problem(self, status, name, **more):
        self.reply(status, dict(more, type="urn:holdfast:problem:" + name, title=name, detail="the test says so", status=status),
                   content_type="application/problem+json")

    def drop(self):
        self.close_connection = True
        self.connection.close()

    def check_signature(self, body, key):
        fields = self.headers
        inner = fields["Signature-Input"].removeprefix("hf=")
        covered = ['"@method"', '"@path"', '"@query"'] + (['"content-digest"'] if body else [])
        assert inner.startswith("(" + " ".join(covered) + ");created="), inner
        path, _, query = self.path.partition("?")
        lines = ['"@method": ' + self.command, '"@path": ' + path, '"@query": ?' + query]
        if body:
            digest = "sha-256=:%s:" % base64.b64encode(hashlib.sha256(body).digest()).decode()
            assert fields["Content-Digest"] == digest
            lines.append('"content-digest": ' + digest)
        lines.append('"@signature-params": ' + inner)
        signature = base64.b64decode(fields["Signature"].removeprefix("hf=:").removesuffix(":"))
        assert signed_by(key, "\n".join(lines).encode(), signature), "the signature is wrong"
        parameters = dict(part.split("=", 1) for part in inner.split(";")[1:])
        return int(parameters["created"]), parameters["nonce"], parameters["keyid"].strip('"')

    def serve(self, body):
        path, _, query = self.path.partition("?")
        path = path.removeprefix("/api/v1")
        say(request=path, method=self.command, query=query, size=len(body))
        try:
            self.answer(path, query, body)
        except AssertionError as error:
            say(complaint=str(error))
            self.problem(401, "signature")

    def answer(self, path, query, body):
        global device_key
        with lock:
            name = contents.get(path.removeprefix("/content/"), path) if path.startswith("/content/") else path
            fault = faults.get(name, []).pop(0) if faults.get(name) else ""
        if path.startswith("/content/"):
            assert "Signature" not in self.headers, "content is nobody's secret"
            return self.give_content(fault, path.removeprefix("/content/"))
        if path == "/enrol":
            request = json.loads(body)
            key = unpadded(request["public_key"])
            created, nonce, keyid = self.check_signature(body, key)
            assert keyid == "key:" + request["public_key"], keyid
        else:
            assert device_key, "unknown"
            created, nonce, keyid = self.check_signature(body, device_key)
            assert keyid == DEVICE, keyid
        now = time.time() + skew
        if fault == "drop":
            return self.drop()
        if abs(created - now) > 300:
            return self.problem(401, "clock", time_ms=int(now * 1000))
        if fault == "replayed" or nonce in nonces:
            return self.problem(401, "replayed")
        nonces.add(nonce)
        if fault in ("500", "502"):
            return self.raw(int(fault), b"<html>no</html>", "text/html")
        if fault == "503":
            return self.reply(503, {}, Retry_After="1")
        if fault == "429":
            return self.reply(429, {}, Retry_After=self.date_time_string())
        if fault == "redirect":
            return self.reply(302, None, Location="https://example.com/")
        if fault == "garbage":
            return self.raw(200, b"\x00\xffnot json")
        if fault == "huge":
            return self.raw(200, b"x" * (2 << 20))
        if fault == "413":
            return self.problem(413, "too-large")
        if path == "/enrol":
            if mode == "refused":
                return self.problem(403, "enrolment-refused")
            device_key = key
            answer = {"device": DEVICE, "state": "pending" if mode == "pending" else "enrolled", "time_ms": int(now * 1000)}
            return self.reply(202 if mode == "pending" else 200, answer)
        if mode == "revoked":
            return self.problem(403, "revoked")
        if path == "/device/heartbeat":
            say(heartbeat=json.loads(body))
            return self.finish_with(fault, {"time_ms": int(now * 1000), "heartbeat_s": 900, "poll_s": 30,
                                            "drain_bytes_per_s": 0, "labels": None, "command_sequence": 0})
        if path == "/device/telemetry":
            return self.take_batch(fault, gzip.decompress(body))
        if path == "/device/key":
            change = json.loads(body)
            new = unpadded(change["public_key"])
            assert signed_by(new, device_key, unpadded(change["proof"])), "the proof is wrong"
            device_key = new
            return self.finish_with(fault, {"device": DEVICE, "state": "enrolled", "time_ms": int(now * 1000)})
        if path == "/device/commands":
            return self.wait_for_commands(query)
        if path.startswith("/device/metadata/") and path.rpartition("/")[2] in metadata:
            return self.give_metadata(fault, metadata[path.rpartition("/")[2]].encode())
        if path.endswith("/attachment"):
            say(attachment=list(json.loads(gzip.decompress(body))))
            return self.reply(204)
        self.problem(404, "not-found")

    def finish_with(self, fault, value):
        if fault == "lose-reply":
            return self.drop()
        if fault == "truncate":
            self.raw(200, json.dumps(value).encode(), cut=10)
            return self.drop()
        self.reply(200, value)

    def give_metadata(self, fault, body):
        if fault == "unsaid":
            return self.stream(200, body * 1000)
        self.raw(200, body)

    def give_content(self, fault, sha256):
        if sha256 not in contents or fault == "404":
            return self.problem(404, "not-found")
        size = os.path.getsize(folder + "/" + contents[sha256])
        wanted, tag = self.headers["Range"], '"%s"' % sha256
        say(content=contents[sha256], range=wanted, fault=fault)
        first = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        assert not wanted or self.headers["If-Range"] == tag, "a range without If-Range"
        if fault == "drop":
            return self.drop()
        if fault in ("500", "503", "429", "403", "400"):
            self.reply(int(fault), {}, Retry_After="1") if fault in ("503", "429") else self.problem(int(fault), "test")
            return
        if fault == "redirect":
            return self.reply(302, {"see": "there"}, Location="https://elsewhere.example/content/" + sha256)
        if fault == "416":
            return self.reply(416, None, Content_Range="bytes */%d" % size)
        with open(folder + "/" + contents[sha256], "rb") as file:
            if fault == "no-ranges":
                first = 0
            file.seek(first)
            partial = wanted and fault != "no-ranges"
            fields = {"Content-Range": "bytes %d-%d/%d" % (first, size - 1, size)} if partial else {}
            if fault == "other-range":
                fields["Content-Range"] = "bytes %d-%d/%d" % (first + 1, size - 1, size)
            if fault == "coded":
                fields["Content-Encoding"] = "gzip"
            body = iter(lambda: file.read(65536), b"")
            if fault == "unsaid":
                return self.stream(206 if partial else 200, *body, b"x" * 65536, **fields)
            self.send_response(206 if partial else 200)
            fields["Content-Length"] = str(size - first + {"long": 1000, "short": -1000}.get(fault, 0))
            fields["ETag"] = tag
            for name, value in fields.items():
                self.send_header(name, value)
            self.end_headers()
            sent = 0
            for piece in body:
                if fault == "cut" and sent >= (size - first) // 2:
                    return self.drop()
                if fault == "slow":
                    piece = piece[:1]
                    for _ in range(600):
                        self.wfile.write(b"x")
                        self.wfile.flush()
                        time.sleep(0.1)
                self.wfile.write(piece)
                sent += len(piece)

    def stream(self, status, *pieces, **fields):
        """Without saying how long it is."""
        self.send_response(status)
        for name, value in dict(fields, **{"Transfer-Encoding": "chunked"}).items():
            self.send_header(name, value)
        self.end_headers()
        for piece in pieces + (b"",):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))

    def take_batch(self, fault, content):
        header, *lines = [json.loads(line) for line in content.decode().splitlines()]
        with lock:
            spool, number = header["spool"], header["first"]
            applied = state["applied"].get(spool, 0)
            if header["first"] > applied + 1:
                return self.problem(409, "sequence", acknowledged=applied)
            for index, line in enumerate(lines):
                if "unreadable" in json.dumps(line):
                    return self.problem(400, "batch", line=index + 2)
            for line in lines:
                if "gap" in line:
                    assert line["gap"][0] == number, line
                    number = line["gap"][1] + 1
                else:
                    if number > applied:
                        records = state["records"].setdefault(header["queue"], {})
                        state["repeated"] += number in records
                        records[number] = line
                    number += 1
            assert number == header["last"] + 1, (number, header)
            state["applied"][spool] = max(applied, header["last"])
            value = {"acknowledged": state["applied"][spool]}
        self.finish_with(fault, value)

    def wait_for_commands(self, query):
        parameters = dict(part.split("=") for part in query.split("&"))
        after, deadline = int(parameters["after"]), time.monotonic() + float(parameters["wait"])
        with news:
            while True:
                new = [command for command in commands if command["sequence"] > after]
                left = deadline - time.monotonic()
                if new or left <= 0 or mode != "enrolled":
                    break
                news.wait(min(left, 1))
        if mode != "enrolled":
            return self.problem(403, "revoked")
        if new:
            self.reply(200, {"commands": new})
        else:
            self.reply(204)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def get_request(self):
        connection, address = super().get_request()
        # The handshake belongs to the thread of the connection.
        return context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request, client_address):
        say(error=repr(sys.exc_info()[1]))


class Link:
    """A network between the device and central: slow, or dying every so often."""

    def __init__(self, port):
        self.target, self.sockets = port, set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()
        threading.Thread(target=self.die, daemon=True).start()

    def accept(self):
        while True:
            device, _ = self.listener.accept()
            device.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            central = socket.create_connection(("127.0.0.1", self.target))
            self.sockets |= {device, central}
            for pair in ((device, central), (central, device)):
                threading.Thread(target=self.carry, args=pair, daemon=True).start()

    def carry(self, source, target):
        try:
            while data := source.recv(512):
                if link.get("bytes_per_s"):
                    time.sleep(len(data) / link["bytes_per_s"])
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            self.sockets.discard(end)
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def die(self):
        while True:
            time.sleep(link.get("dies_every_s") or 0.2)
            for end in list(self.sockets) if link.get("dies_every_s") else []:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


pin = make_certificates()
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder + "/chain.pem", folder + "/leaf.key")
server = Server(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
between = Link(server.server_port)
say(port=between.port, pin=pin)
for line in open(3):
    order = json.loads(line)
    with lock, news:
        faults.update(order.get("faults", {}))
        skew = order.get("skew", skew)
        mode = order.get("mode", mode)
        link = order.get("link", link)
        if "command" in order:
            commands.append(order["command"])
        if "backup" in order:
            backup = json.dumps(state)
        if "restore" in order:
            state = json.loads(backup)
            state["records"] = {queue: {int(n): line for n, line in records.items()} for queue, records in state["records"].items()}
        news.notify_all()
        for name, size in order.get("content", {}).items():
            digest = hashlib.sha256()
            with open(folder + "/" + name, "wb") as file:
                while size > 0:
                    piece = os.urandom(min(size, 1 << 20))
                    size -= len(piece)
                    digest.update(piece)
                    file.write(piece)
            contents[digest.hexdigest()] = name
            say(stored=name, sha256=digest.hexdigest())
        for path in order.get("files", []):
            name = os.path.basename(path)
            with open(path, "rb") as file, open(folder + "/" + name, "wb") as copy:
                content = file.read()
                copy.write(content)
            contents[hashlib.sha256(content).hexdigest()] = name
            say(stored=name, sha256=hashlib.sha256(content).hexdigest())
        metadata.update(order.get("metadata", {}))
        if "dump" in order:
            say(dump=state)
    say(taken=True)
