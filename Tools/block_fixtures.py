"""Writes Tests/KernelsTests/Fixtures/blocks.json: random blocks of every format and their values.

Run by hand: python Tools/block_fixtures.py
Made with Python 3.11, gguf 0.19.0, numpy 2.4.6.
"""

import base64
import json
import pathlib

import gguf
import numpy

FORMATS = ["F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"]
# Where a block keeps float16 scales: random bytes there could be NaN, so they are drawn apart.
SCALES = {"Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q4_K": [0, 2],
          "Q5_K": [0, 2], "Q6_K": [208]}


def main():
    generator = numpy.random.default_rng(20)
    fixtures = {}
    for name in FORMATS:
        kind = gguf.GGMLQuantizationType[name]
        size, length = gguf.GGML_QUANT_SIZES[kind]
        blocks = 40 if size == 1 else 3
        if name in ("F16", "BF16"):
            values = generator.normal(size=blocks).astype(numpy.float32)
            values[:6] = [0, -0.0, 6e-8, -3e-6, 65504, 1]
            data = gguf.quants.quantize(values, kind).view(numpy.uint8)
        else:
            data = generator.integers(0, 256, size=(blocks, length), dtype=numpy.uint8)
            for at in SCALES[name]:
                scales = generator.normal(size=blocks).astype(numpy.float16)
                data[:, at : at + 2] = scales.reshape(-1, 1).view(numpy.uint8)
            data = data.reshape(-1)
        expected = gguf.quants.dequantize(data, kind).astype("<f4")
        # Lower case but for the K: the names of BlockFormat.
        fixtures[name.lower().replace("_k", "_K")] = {
            "bytes": base64.b64encode(data.tobytes()).decode(),
            "values": base64.b64encode(expected.tobytes()).decode(),
        }
    path = pathlib.Path(__file__).parent.parent / "Tests/KernelsTests/Fixtures/blocks.json"
    path.write_text(json.dumps(fixtures, indent=1, sort_keys=True) + "\n")


main()
