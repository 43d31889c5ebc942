"""A folder for a bundle: make_folder.py FOLDER RELEASE FILES BYTES_EACH CHANGED

The first CHANGED of its files have a content of this release, the others one that every release has.
"""
import json
import os
import random
import sys

folder, release, count, size, changed = sys.argv[1], *map(int, sys.argv[2:])
os.makedirs(f"{folder}/bin", exist_ok=True)
for number in range(count):
    place = f"{folder}/data/{number % 20:02}"
    os.makedirs(place, exist_ok=True)
    with open(f"{place}/{number:05}", "wb") as file:
        file.write(random.Random(f"{number} {release if number < changed else 0}").randbytes(size))
with open(f"{folder}/bin/tool", "w") as file:
    file.write(f"#!/bin/sh\nexec sleep 1000000 # {release}\n")
os.chmod(f"{folder}/bin/tool", 0o755)
manifest = {
    "format": 1, "name": "vision", "version": f"{release}.0.0", "release": release,
    "workers": [{"name": "camera", "command": ["{bundle}/bin/tool"]}],
}
with open(f"{folder}/manifest.json", "w") as file:
    json.dump(manifest, file)
