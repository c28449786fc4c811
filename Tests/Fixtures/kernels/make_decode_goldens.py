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

TYPES = [
    Type.F32, Type.F16, Type.BF16, Type.Q8_0, Type.Q4_0, Type.Q4_K, Type.Q6_K, Type.Q4_1, Type.Q5_0, Type.Q5_1,
    Type.IQ4_NL, Type.MXFP4, Type.Q2_K, Type.Q3_K, Type.Q5_K, Type.IQ4_XS, Type.TQ1_0, Type.TQ2_0, Type.IQ1_S,
    Type.IQ1_M, Type.IQ2_XXS, Type.IQ2_XS, Type.IQ2_S, Type.IQ3_XXS, Type.IQ3_S,
]

# Where a block's f16 scales stand, in bytes.
SCALES = {
    Type.F16: [0], Type.Q4_0: [0], Type.Q4_1: [0, 2], Type.Q5_0: [0], Type.Q5_1: [0, 2], Type.Q8_0: [0],
    Type.IQ4_NL: [0], Type.Q2_K: [80, 82], Type.Q3_K: [108], Type.Q4_K: [0, 2], Type.Q5_K: [0, 2], Type.Q6_K: [208],
    Type.IQ4_XS: [0], Type.TQ1_0: [52], Type.TQ2_0: [64], Type.IQ1_S: [0], Type.IQ2_XXS: [0], Type.IQ2_XS: [0],
    Type.IQ2_S: [0], Type.IQ3_XXS: [0], Type.IQ3_S: [0],
}


def random_f16(rng, blocks):
    return (rng.standard_normal((blocks, 1)) / 64).astype(np.float16)


def main():
    rng = np.random.default_rng(7)
    cases = []
    for kind in TYPES:
        elements, size = GGML_QUANT_SIZES[kind]
        blocks = max(2, 32 // elements)
        data = rng.integers(0, 256, (blocks, size), dtype=np.uint8)
        if kind == Type.F32:
            data = rng.standard_normal((blocks, 1), dtype=np.float32).view(np.uint8)
        if kind == Type.BF16:
            data = np.ascontiguousarray(rng.standard_normal((blocks, 1), dtype=np.float32).view(np.uint8)[:, 2:])
        for start in SCALES.get(kind, []):
            data[:, start : start + 2] = random_f16(rng, blocks).view(np.uint8)
        if kind == Type.MXFP4:  # an exponent: one for which values are denormal, one that is usual
            data[:, 0] = [1, 120]
        if kind == Type.IQ1_M:  # the scale lies in the top nibbles of four 16-bit words
            nibbles = random_f16(rng, blocks).view(np.uint16) >> np.array([0, 4, 8, 12], dtype=np.uint16) & 15
            data[:, 49::2] = data[:, 49::2] & 15 | nibbles.astype(np.uint8) << 4
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
