"""Models as ONNX: a graph of standard operators, run by ONNX Runtime on the CPU. The optional extra ``onnx``."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gatewright.core.errors import ModelError
from gatewright.services.model_formats.onnx_classes import classes_of
from gatewright.services.model_formats.refusals import named, not_a_model, refused

if TYPE_CHECKING:
    from gatewright.services.model_formats.onnx_answers import OnnxModel

__all__ = ["is_model_proto", "load_onnx", "read_onnx"]

# Operators of other domains are native libraries, or wait for one to be registered.
DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml"})
_FATAL = 4


def is_model_proto(model: object) -> bool:
    """Whether ``model`` is ONNX's own object, told without importing its library."""
    return type(model).__name__ == "ModelProto" and type(model).__module__.split(".")[0] == "onnx"


def read_onnx(body: bytes, *, where: str) -> Any:
    """The ``ModelProto``, if it keeps to itself.

    Raises ModelError for damaged bytes, tensors in other files, operators of other domains, functions of its own
    and training graphs, and where the extra is not installed.
    """
    onnx, _ = _libraries(where)
    try:
        model = onnx.load_model_from_string(body)
    except Exception as error:
        raise not_a_model(f"ONNX cannot read it ({named(error)})", where) from error
    for message in _messages(model):
        _require_own(message, where)
    return model


def load_onnx(body: bytes, *, where: str) -> "OnnxModel":
    """A session over exactly these bytes. Raises ModelError as `read_onnx`, and for a graph that cannot run."""
    from gatewright.services.model_formats.onnx_answers import OnnxModel

    proto = read_onnx(body, where=where)
    _, runtime = _libraries(where)
    try:
        session = runtime.InferenceSession(body, _options(runtime), providers=["CPUExecutionProvider"])
    except Exception as error:
        raise not_a_model(f"ONNX Runtime cannot load it ({named(error)})", where) from error
    return OnnxModel(session, classes_of(proto, where=where))


def _libraries(where: str) -> tuple[Any, Any]:
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise ModelError(
            f"the model is ONNX, and it cannot be read here: {error}.",
            where=where,
            remedy="install `gatewright[onnx]`.",
        ) from error
    onnxruntime.disable_telemetry_events()
    return onnx, onnxruntime


def _options(runtime: Any) -> Any:
    options = runtime.SessionOptions()
    options.log_severity_level = _FATAL
    options.use_deterministic_compute = True
    # The runtime has a format of its own, which it would tell by itself.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _messages(model: Any) -> Iterator[Any]:
    """Every message at any depth: tensors hide in attributes, sparse tensors, subgraphs and functions."""
    from google.protobuf.message import Message

    waiting = [model]
    while waiting:
        message = waiting.pop()
        yield message
        for field, value in message.ListFields():
            if field.message_type is not None:
                waiting.extend([value] if isinstance(value, Message) else value)


def _require_own(message: Any, where: str) -> None:
    kind = message.DESCRIPTOR.name
    if kind in ("NodeProto", "OperatorSetIdProto") and message.domain not in DOMAINS:
        raise refused(f"the graph uses operators of the domain {message.domain!r}, which are native code", where)
    if kind in ("FunctionProto", "TrainingInfoProto"):
        raise refused("the graph brings functions or a training graph of its own; inline it first", where)
    # A location may name any file, and for the runtime also an address in memory.
    if kind == "TensorProto" and (message.data_location != message.DEFAULT or message.external_data):
        raise refused("a tensor of the graph lies in another file", where)
