"""Calls a method of io.holdfast.Runtime and prints its replies: call.py SOCKET METHOD [PARAMETERS]"""

import json
import socket
import sys


class Runtime:
    """A connection to a runtime."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(path)
        self.rest = b""

    def send(self, method, parameters=None, more=False):
        call = {"method": f"io.holdfast.Runtime.{method}", "parameters": parameters or {}, "more": more}
        self.socket.sendall(json.dumps(call).encode() + b"\0")

    def receive(self):
        while b"\0" not in self.rest:
            chunk = self.socket.recv(65536)
            if not chunk:
                raise EOFError("the runtime has closed the connection")
            self.rest += chunk
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def replies(self, method, parameters=None, more=False):
        self.send(method, parameters, more)
        while True:
            reply = self.receive()
            yield reply
            if not reply.get("continues"):
                return

    def call(self, method, parameters=None):
        return list(self.replies(method, parameters))[-1]


def execute(path, **parameters):
    """All replies to Execute, on a connection of its own."""
    return list(Runtime(path).replies("Execute", parameters, more=True))


if __name__ == "__main__":
    arguments = json.loads(sys.argv[3]) if len(sys.argv) > 3 else {}
    for answer in Runtime(sys.argv[1]).replies(sys.argv[2], arguments, more=sys.argv[2] == "Execute"):
        print(json.dumps(answer))
