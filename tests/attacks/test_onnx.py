"""ONNX graphs that attack: files of others, native code, memory and time without end."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from gatewright.core.errors import ModelError
from gatewright.services.blobs import BlobStore
from gatewright.services.model_formats.content import format_of
from gatewright.services.model_probe import ModelProbe, ProbeLimits, WarmUp
from gatewright.services.registry import ModelRegistry
from tests.fakes import MemoryStore

ASKED = WarmUp(("a",), (), "regression")


@pytest.fixture
def registry(tmp_path: Path) -> ModelRegistry:
    limits = ProbeLimits(memory_bytes=512 << 20, seconds=2)
    return ModelRegistry(BlobStore(MemoryStore(), tmp_path / "cache"), ModelProbe(limits))


def model(*nodes: onnx.NodeProto, **parts) -> onnx.ModelProto:
    """A graph from ``x`` to ``y``, both of shape (rows, 1)."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 1]) for name in "xy")
    domains = [helper.make_opsetid(domain, 18) for domain in parts.pop("domains", [""])]
    made = helper.make_graph(list(nodes), "g", [x], [y], parts.pop("tensors", []))
    return helper.make_model(made, opset_imports=domains, ir_version=10, **parts)


def elsewhere(**entries: str) -> TensorProto:
    """A tensor that says that its numbers lie in another file."""
    tensor = numpy_helper.from_array(np.ones((1, 1), dtype=np.float32), "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=value)
    return tensor


def branch(tensor: TensorProto) -> onnx.NodeProto:
    """A tensor two graphs deep, in an attribute."""
    constant = helper.make_node("Constant", [], ["w"], value=tensor)
    out = helper.make_tensor_value_info("w", TensorProto.FLOAT, [1, 1])
    return helper.make_node(
        "If",
        ["c"],
        ["y"],
        then_branch=helper.make_graph([constant], "t", [], [out]),
        else_branch=helper.make_graph([constant], "e", [], [out]),
    )


def hidden_in_initializer() -> onnx.ModelProto:
    return model(helper.make_node("Add", ["x", "w"], ["y"]), tensors=[elsewhere(location="/etc/passwd")])


def hidden_in_branch() -> onnx.ModelProto:
    return model(branch(elsewhere(location="../../secret")))


def address_in_memory() -> onnx.ModelProto:
    tensor = elsewhere(location="*/_ORT_MEM_ADDR_/*", offset="4096", length="4")
    return model(helper.make_node("Add", ["x", "w"], ["y"]), tensors=[tensor])


def native_operator() -> onnx.ModelProto:
    return model(helper.make_node("EPContext", ["x"], ["y"], domain="com.microsoft"), domains=["", "com.microsoft"])


def own_function() -> onnx.ModelProto:
    node = helper.make_node("Identity", ["a"], ["b"])
    function = helper.make_function("", "Own", ["a"], ["b"], [node], [helper.make_opsetid("", 18)])
    return model(helper.make_node("Own", ["x"], ["y"]), functions=[function])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (hidden_in_initializer, "another file"),
        (hidden_in_branch, "another file"),
        (address_in_memory, "another file"),
        (native_operator, "com.microsoft"),
        (own_function, "functions"),
    ],
)
def test_a_graph_that_reaches_outside_is_refused(
    registry: ModelRegistry, make: Callable[[], onnx.ModelProto], says: str
) -> None:
    """When it is saved, and when somebody wrote it into the store."""
    with pytest.raises(ModelError, match=says):
        registry.save(make())
    ref = registry._blobs.put(make().SerializeToString(), "application/x-onnx")
    with pytest.raises(ModelError, match=says):
        registry.load(ref, trusted_types=())


def huge() -> onnx.ModelProto:
    """50 GB of zeros from a shape of 16 bytes, added up for each row."""
    shape = numpy_helper.from_array(np.array([50 << 28], dtype=np.int64), "s")
    fill = helper.make_node("ConstantOfShape", ["s"], ["z"])
    total = helper.make_node("ReduceMax", ["z"], ["m"], keepdims=1)
    return model(fill, total, helper.make_node("Add", ["x", "m"], ["y"]), tensors=[shape])


def endless() -> onnx.ModelProto:
    """A loop of 2**62 turns."""
    turns = numpy_helper.from_array(np.array(1 << 62, dtype=np.int64), "n")
    on = numpy_helper.from_array(np.array(True), "on")
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["next"]), helper.make_node("Neg", ["v"], ["w"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, [None, 1]),
        ],
        [
            helper.make_tensor_value_info("next", TensorProto.BOOL, []),
            helper.make_tensor_value_info("w", TensorProto.FLOAT, [None, 1]),
        ],
    )
    return model(helper.make_node("Loop", ["n", "on", "x"], ["y"], body=body), tensors=[turns, on])


@pytest.mark.parametrize(("make", "says"), [(huge, r"[Mm]emory|alloc"), (endless, r"took longer|processor time")])
def test_memory_and_time_without_end_are_spent_in_the_probe(
    registry: ModelRegistry, make: Callable[[], onnx.ModelProto], says: str
) -> None:
    """The graph is well formed; one row is enough to see it."""
    ref = registry.save(make())
    with pytest.raises(ModelError, match=says):
        registry.load(ref, trusted_types=(), warm_up=ASKED)


@pytest.mark.parametrize(
    "body",
    [
        b"\x08\x0a",
        b"\x3a\x00",
        b"\x08\x0a\x3a\xff\xff\xff\xff\x0f",
        b"\x08\x0a\x3a\x00\x4b",
        b"\x08\x0a\x3a\x00\xfa\x07\x00",
        b"\x18\x00\x00\x00ORTM" + bytes(64),
        b"\xff" * 64,
    ],
)
def test_bytes_that_are_not_quite_onnx_are_refused(body: bytes) -> None:
    """No graph, no version, a length beyond the end, groups, unknown fields, the runtime's own format."""
    with pytest.raises(ModelError, match="neither skops nor ONNX"):
        format_of(body, where="a model")


def test_a_damaged_graph_is_one_clear_error(registry: ModelRegistry) -> None:
    """Whatever the parser and the runtime throw."""
    body = bytearray(model(helper.make_node("Nonsense", ["x"], ["y"])).SerializeToString())
    ref = registry._blobs.put(bytes(body), "application/x-onnx")
    with pytest.raises(ModelError, match="ONNX Runtime cannot load it"):
        registry.load(ref, trusted_types=())
    damaged = registry._blobs.put(b"\x08\x0a\x3a\x04\xff\xff\xff\xff", "application/x-onnx")
    with pytest.raises(ModelError, match="ONNX cannot read it"):
        registry.load(damaged, trusted_types=())
