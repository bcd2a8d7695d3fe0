"""What the columns of an ONNX classifier's probabilities are called."""

import json
from typing import Any

from gatewright.services.model_formats.refusals import not_a_model

__all__ = ["CLASSES_KEY", "classes_of"]

# A JSON list in the model's metadata, for graphs whose operators do not name the classes, such as PyTorch's.
CLASSES_KEY = "classes"
_INTEGERS = ("classlabels_int64s", "classlabels_ints")
_TEXTS = ("classlabels_strings",)

Classes = tuple[int | str, ...]


def classes_of(model: Any, *, where: str) -> Classes | None:
    """The classes in the order of their columns; None where neither metadata nor operators name any.

    Raises ModelError where two operators name other classes.
    """
    stated = [entry.value for entry in model.metadata_props if entry.key == CLASSES_KEY]
    if stated:
        return _parsed(stated[0], where)
    found = {classes for node in model.graph.node for classes in [_named_by(node)] if classes}
    if len(found) > 1:
        raise not_a_model(f"its operators name different classes; state them in the metadata `{CLASSES_KEY}`", where)
    return found.pop() if found else None


def _parsed(text: str, where: str) -> Classes:
    try:
        classes = json.loads(text)
    except ValueError:
        classes = None
    if not isinstance(classes, list) or not all(type(name) in (int, str) for name in classes):
        raise not_a_model(f"its metadata `{CLASSES_KEY}` is no JSON list of whole numbers or texts", where)
    return tuple(classes)


def _named_by(node: Any) -> Classes:
    attributes = {attribute.name: attribute for attribute in node.attribute}
    integers = next((attributes[name].ints for name in _INTEGERS if name in attributes and attributes[name].ints), ())
    texts = next((attributes[name].strings for name in _TEXTS if name in attributes), ())
    return tuple(integers) or tuple(text.decode() for text in texts)
