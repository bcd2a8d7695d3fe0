"""Model files: skops or ONNX, told by their bytes, and read with nothing that runs code of theirs. No pickles."""

from collections.abc import Sequence
from typing import Any

from gatewright.services.model_formats.content import MEDIA_TYPES, format_of
from gatewright.services.model_formats.onnx_model import is_model_proto, load_onnx, read_onnx
from gatewright.services.model_formats.skops_model import load_skops, skops_bytes

__all__ = ["load_model", "model_bytes"]


def load_model(body: bytes, trusted_types: Sequence[str], *, where: str) -> Any:
    """Build the model that ``body`` holds; it has ``predict_proba`` and ``classes_``, or ``predict``.

    ``trusted_types`` is the allowlist for skops; an ONNX graph may use standard operators only. Raises ModelError
    for any other format, damaged bytes and whatever is not allowed.
    """
    if format_of(body, where=where) == "onnx":
        return load_onnx(body, where=where)
    return load_skops(body, trusted_types, where=where)


def model_bytes(model: object) -> tuple[bytes, str]:
    """What is stored of the model that training code returned: bytes and media type.

    ONNX (bytes or a ``ModelProto``) and skops bytes stay as they are; estimators become skops. Raises ModelError for
    a model that `load_model` would refuse for its format, or that skops cannot write.
    """
    if is_model_proto(model):
        model = model.SerializeToString()  # type: ignore[attr-defined]
    if not isinstance(model, bytes):
        return skops_bytes(model), MEDIA_TYPES["skops"]
    where = "the model that training returned"
    kind = format_of(model, where=where)
    if kind == "onnx":
        read_onnx(model, where=where)
    return model, MEDIA_TYPES[kind]
