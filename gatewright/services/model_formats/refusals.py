"""What is said of model files that are refused."""

from gatewright.core.errors import ModelError

__all__ = ["named", "not_a_model", "refused"]

_SAVE_AGAIN = "save the model again with `ModelRegistry.save`."


def named(error: Exception) -> str:
    """The kind of an error and the first line of its message."""
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}"


def not_a_model(problem: str, where: str) -> ModelError:
    """The bytes are damaged, or of no format that is known."""
    return ModelError(f"the bytes are no model: {problem}.", where=where, remedy=_SAVE_AGAIN)


def refused(problem: str, where: str) -> ModelError:
    """The bytes are of a format that runs code when it is loaded, or could."""
    return ModelError(
        f"{problem}.", where=where, remedy="return the estimator itself, or ONNX: skops and ONNX run no code."
    )
