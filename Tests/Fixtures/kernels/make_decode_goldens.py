"""Writes decode.json: random blocks of each type and what the gguf package decodes them to.

    pip install gguf numpy
    python3 make_decode_goldens.py > decode.json
"""

import base64
import json
import sys

import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType as Type
from gguf.quants import dequantize

# Where a block's f16 scales stand, in bytes.
SCALES = {Type.F16: [0], Type.Q4_0: [0], Type.Q8_0: [0], Type.Q4_K: [0, 2], Type.Q6_K: [208]}


def main():
    rng = np.random.default_rng(7)
    cases = []
    for kind in [Type.F32, Type.F16, Type.BF16, Type.Q8_0, Type.Q4_0, Type.Q4_K, Type.Q6_K]:
        elements, size = GGML_QUANT_SIZES[kind]
        blocks = max(2, 32 // elements)
        data = rng.integers(0, 256, (blocks, size), dtype=np.uint8)
        if kind == Type.F32:
            data = rng.standard_normal((blocks, 1), dtype=np.float32).view(np.uint8)
        if kind == Type.BF16:
            data = np.ascontiguousarray(rng.standard_normal((blocks, 1), dtype=np.float32).view(np.uint8)[:, 2:])
        for start in SCALES.get(kind, []):
            scales = (rng.standard_normal((blocks, 1)) / 64).astype(np.float16)
            data[:, start : start + 2] = scales.view(np.uint8)
        row = data.reshape(1, -1)
        values = dequantize(row, kind).astype(np.float32) if elements > 1 or kind == Type.BF16 else (
            row.view(np.float16 if kind == Type.F16 else np.float32).astype(np.float32)
        )
        cases.append({
            "type": int(kind),
            "name": kind.name,
            "columns": blocks * elements,
            "row": base64.b64encode(row.tobytes()).decode(),
            "values": base64.b64encode(values.astype("<f4").tobytes()).decode(),
        })
    json.dump(cases, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
