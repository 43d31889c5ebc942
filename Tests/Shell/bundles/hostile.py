"""Archives that nobody should take, signed or not: hostile.py KIND FILE"""
import io
import json
import sys
import tarfile

kind, path = sys.argv[1:]
manifest = {"format": 1, "name": "vision", "version": "1", "release": 1, "files": []}


def entry(archive, name, content=b"", **changes):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in changes.items():
        setattr(info, key, value)
    archive.addfile(info, io.BytesIO(content))


with tarfile.open(path, "w:gz", compresslevel=1) as archive:
    entry(archive, "manifest.json", json.dumps(manifest).encode())
    if kind == "outside":
        entry(archive, "../outside", b"x")
    elif kind == "absolute":
        entry(archive, "/tmp/holdfast-outside", b"x")
    elif kind == "link":
        entry(archive, "door", type=tarfile.SYMTYPE, linkname="/tmp")
        entry(archive, "door/holdfast-outside", b"x")
    elif kind == "device":
        entry(archive, "device", type=tarfile.CHRTYPE, devmajor=1, devminor=3)
    elif kind == "many":
        for number in range(1_000_000):
            entry(archive, f"f{number}")
    elif kind == "bomb":
        info = tarfile.TarInfo("zeros")
        info.size = 2 << 30

        class Zeros:
            def read(self, count):
                return bytes(count)

        archive.addfile(info, Zeros())
