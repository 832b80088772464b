"""Make pipeline/speech/speakers/voice_encoder.onnx out of the weights in Resemblyzer's wheel.

    pip download --no-deps resemblyzer==0.1.4
    pip install onnx==1.23.2 torch numpy
    python voice_weights/make.py Resemblyzer-0.1.4-py3-none-any.whl

The first LSTM layer keeps float16 weights: what it hears is power, not its logarithm, and eight bits do not hold
that range. The other two layers hear values between -1 and 1 and are quantised to seven bits a weight: with
eight, processors that lack VNNI overflow. Running it again makes the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

PRETRAINED = "resemblyzer/pretrained.pt"
SHA256 = "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e"
TARGET = Path(__file__).parents[1] / "pipeline" / "speech" / "speakers" / "voice_encoder.onnx"
MELS, HIDDEN, LAYERS = 40, 256, 3
LARGEST = 63  # of a quantised weight: seven bits with the sign


class Graph:
    """Nodes and constants as they are collected."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """Add a constant; returns its name."""
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, inputs: list[str], outputs: list[str], **attributes: Any) -> None:
        """Add a node."""
        self.nodes.append(helper.make_node(kind, inputs, outputs, **attributes))


def main(wheel: Path) -> None:
    """Write the network."""
    content = zipfile.ZipFile(wheel).read(PRETRAINED)
    if hashlib.sha256(content).hexdigest() != SHA256:
        sys.exit(f"{PRETRAINED} in {wheel} is not the file this was made for")
    state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)["model_state"]
    weights = {name: tensor.numpy() for name, tensor in state.items()}
    graph = Graph()
    graph.node("Transpose", ["mels"], ["in0"], perm=[1, 0, 2])
    for layer in range(LAYERS):
        add_layer(graph, layer, weights)
    graph.node("Squeeze", [f"last{LAYERS - 1}", graph.constant("first", np.array([0]))], ["last"])
    projection = [
        graph.constant("projection", weights["linear.weight"]),
        graph.constant("bias", weights["linear.bias"]),
    ]
    graph.node("Gemm", ["last", *projection], ["linear"], transB=1)
    graph.node("Relu", ["linear"], ["positive"])
    graph.node("LpNormalization", ["positive"], ["vectors"], axis=1, p=2)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "voice_encoder",
            [helper.make_tensor_value_info("mels", TensorProto.FLOAT, ["windows", "frames", MELS])],
            [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["windows", HIDDEN])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)],
        ir_version=8,
        doc_string="Resemblyzer 0.1.4, copyright Resemble AI and Corentin Jemine, Apache-2.0; converted and quantised",
    )
    TARGET.write_bytes(model.SerializeToString(deterministic=True))


def add_layer(graph: Graph, layer: int, weights: dict[str, NDArray[np.float32]]) -> None:
    """Add one LSTM layer, which hears ``in<layer>`` and says ``out<layer>`` and ``last<layer>``."""
    heard = in_onnx_order(weights[f"lstm.weight_ih_l{layer}"])
    kept = in_onnx_order(weights[f"lstm.weight_hh_l{layer}"])
    biases = [in_onnx_order(weights[f"lstm.bias_{side}_l{layer}"]) for side in ("ih", "hh")]
    bias = graph.constant(f"bias{layer}", np.concatenate(biases)[None])
    outputs = [f"out{layer}", f"last{layer}"]
    if layer == 0:
        names = []
        for name, matrix in (("heard0", heard), ("kept0", kept)):
            half = graph.constant(f"{name}_half", matrix[None].astype(np.float16))
            graph.node("Cast", [half], [name], to=TensorProto.FLOAT)
            names.append(name)
        graph.node("LSTM", ["in0", *names, bias], outputs, hidden_size=HIDDEN)
    else:
        matrices, scales = [], []
        for name, matrix in ((f"heard{layer}", heard), (f"kept{layer}", kept)):
            quantised, scale = quantise(matrix)
            matrices.append(graph.constant(name, quantised))
            scales += [
                graph.constant(f"{name}_scale", scale),
                graph.constant(f"{name}_zero", np.zeros(scale.shape, np.int8)),
            ]
        graph.node(
            "DynamicQuantizeLSTM",
            [f"in{layer}", *matrices, bias, "", "", "", "", *scales],
            outputs,
            domain="com.microsoft",
            hidden_size=HIDDEN,
        )
    if layer < LAYERS - 1:
        direction = graph.constant(f"direction{layer}", np.array([1]))
        graph.node("Squeeze", [f"out{layer}", direction], [f"in{layer + 1}"])


def in_onnx_order(gates: NDArray[np.float32]) -> NDArray[np.float32]:
    """PyTorch keeps the gates as input, forget, cell, output; ONNX as input, output, forget, cell."""
    entry, forget, cell, out = np.split(gates, 4)
    return np.concatenate([entry, out, forget, cell])


def quantise(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Whole numbers (1, inputs, outputs) and the scale of each output (1, outputs)."""
    scale = np.abs(matrix).max(axis=1) / LARGEST
    return np.round(matrix / scale[:, None]).astype(np.int8).T[None], scale[None].astype(np.float32)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
