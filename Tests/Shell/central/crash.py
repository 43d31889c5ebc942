"""Delivers as a device does, again until it is acknowledged, while somebody kills central over and over; then counts.

    crash.py URL CA_FILE ENROLMENT_TOKEN ADMIN_TOKEN COUNT

Says one line on stdout for each tenth of the records, upon which central may be killed.
"""

import json
import random
import sys
import time

import requests

from device import Device, unb64url

url, ca, token, admin, count = sys.argv[1:]
count = int(count)
device = Device(url, ca, json.loads(unb64url(token.removeprefix("hf1.")))["secret"])
device.enrol()
moment = int(time.time() * 1000)
acknowledged, said, offset = 0, 0, 0
while acknowledged < count:
    last = min(count, acknowledged + random.randint(1, 200))
    records = [{"w": "w", "t": moment, "b": "b", "m": 1, "v": {"n": number}} for number in range(acknowledged + 1, last + 1)]
    # Whoever hears nothing sends again, and with other bounds.
    try:
        response = device.deliver(acknowledged + 1, records, clock=offset)
    except requests.ConnectionError:
        continue
    if response.status_code == 401 and response.json()["type"].endswith(":clock"):
        offset += 1  # signed before central's start
        continue
    if response.status_code == 503:
        continue
    assert response.status_code == 200, response.text
    acknowledged = response.json()["acknowledged"]
    if acknowledged * 10 // count > said:
        said += 1
        print(said, flush=True)
while True:
    try:
        answer = requests.get(f"{url}/api/v1/devices/{device.id}/telemetry?limit=100000", verify=ca,
                              headers={"Authorization": f"Bearer {admin}"}, timeout=20)
        break
    except requests.ConnectionError:
        continue
values = sorted(point[1] for point in answer.json()["series"][0]["points"])
assert values == list(range(1, count + 1)), f"{len(values)} of {count}, {count - len(set(values))} missing"
print(f"{count} readings are there once each", file=sys.stderr)
