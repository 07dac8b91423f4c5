"""Opens one of our checkpoints with h5py and compares every data set with its digest.

    python Tools/checkpoint_check.py CHECKPOINT.h5

Made with Python 3.11, h5py 3.16.0, numpy 2.4.6. Prints one JSON object: names, shapes, types, and
the sum of each tensor; exits 1 when something is not as the layout says.
"""

import hashlib
import json
import sys

import h5py
import numpy as np


def main(path):
    with open(path, "rb") as file:
        block, rest = file.read(512), file.read()
    title, length, digest = block.rstrip(b"\0").decode().splitlines()
    assert title == "rsd checkpoint 1", title
    assert length == f"length {len(block) + len(rest)}", length
    assert digest == "sha256 " + hashlib.sha256(rest).hexdigest(), digest

    found = {}
    with h5py.File(path, "r") as file:
        assert file.userblock_size == 512
        assert file.attrs["format"] == b"rsd checkpoint", file.attrs["format"]
        assert file.attrs["schema_version"] == b"1"

        def visit(name, item):
            if not isinstance(item, h5py.Dataset):
                return
            digest = item.attrs["sha256"].decode()
            if item.dtype.kind == "S":
                text = item[()]
                assert hashlib.sha256(text).hexdigest() == digest, name
                found[name] = {"text": len(text), "json": isinstance(json.loads(text), dict)}
                return
            values = item[()]
            assert hashlib.sha256(values.tobytes()).hexdigest() == digest, name
            kind = item.attrs.get("dtype", b"float32").decode()
            if kind == "bfloat16":
                values = (values.astype(np.uint32) << 16).view(np.float32)
            found[name] = {"shape": list(item.shape), "dtype": kind, "sum": float(values.sum(dtype=np.float64))}

        file.visititems(visit)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main(sys.argv[1])
