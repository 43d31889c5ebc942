"""Sends so many numbered readings to the telemetry socket, as fast as it is let, about 1,500 a second; then ends."""

import json
import os
import socket
import sys
import time

path = os.environ["HOLDFAST_TELEMETRY_SOCKET"]
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as messenger:
    messenger.connect(path)
    for number in range(1, int(sys.argv[1]) + 1):
        messenger.send(json.dumps({"number": number}).encode())
        if number % 15 == 0:
            time.sleep(0.01)
