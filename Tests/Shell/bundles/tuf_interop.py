"""What python-tuf says of our metadata, and metadata of its own.

  tuf_interop.py verify ROOT TARGETS ARCHIVE
  tuf_interop.py make FOLDER ARCHIVE MANIFEST_JSON    writes root.json and targets.json
"""
import datetime
import json
import os
import sys

from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import UnsignedMetadataError
from tuf.api.metadata import Metadata, Root, TargetFile, Targets


def verify(root_path, targets_path, archive):
    root = Metadata[Root].from_file(root_path)
    targets = Metadata[Targets].from_file(targets_path)
    root.verify_delegate("root", root)
    root.verify_delegate("targets", targets)
    with open(archive, "rb") as content:
        targets.signed.targets[os.path.basename(archive)].verify_length_and_hashes(content)
    for key_id, key in root.signed.keys.items():
        assert key.keyid == key_id
    # It would have noticed.
    targets.signed.version += 1
    try:
        root.verify_delegate("targets", targets)
    except UnsignedMetadataError:
        return
    raise SystemExit("python-tuf accepts a change")


def make(folder, archive, description):
    root_key, targets_key = CryptoSigner.generate_ed25519(), CryptoSigner.generate_ed25519()
    expires = datetime.datetime(2099, 1, 1, tzinfo=datetime.timezone.utc)
    root = Root(version=3, expires=expires)
    for role in ("root", "timestamp", "snapshot"):
        root.add_key(root_key.public_key, role)
    root.add_key(targets_key.public_key, "targets")
    signed_root = Metadata(root)
    signed_root.sign(root_key)
    signed_root.to_file(os.path.join(folder, "root.json"))
    targets = Targets(version=9, expires=expires)
    file = TargetFile.from_file(os.path.basename(archive), archive, ["sha256", "sha512"])
    file.unrecognized_fields["custom"] = {
        "holdfast": {"bundle": json.loads(description)},
        "note": "Grüße \"quoted\" \\ \n \U0001f680",
    }
    targets.targets[os.path.basename(archive)] = file
    signed_targets = Metadata(targets)
    signed_targets.sign(targets_key)
    signed_targets.to_file(os.path.join(folder, "targets.json"))


{"verify": verify, "make": make}[sys.argv[1]](*sys.argv[2:])
