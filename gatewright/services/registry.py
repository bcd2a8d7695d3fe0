"""The model registry: models as skops bytes in the blob store. No pickles, and no fallback to them."""

import functools
import io
import pickletools
import zipfile
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gatewright.core.errors import ModelError
from gatewright.core.frames import class_name
from gatewright.core.refs import ArtifactRef
from gatewright.core.spec import Task

if TYPE_CHECKING:
    import pandas as pd
    from threadpoolctl import ThreadpoolController

    from gatewright.services.blobs import BlobStore

__all__ = ["MAX_UNPACKED_BYTES", "SKOPS_MEDIA_TYPE", "ModelRegistry"]

SKOPS_MEDIA_TYPE = "application/x-skops"
# A zip of some kilobytes can unpack to terabytes; no model here comes near this.
MAX_UNPACKED_BYTES = 2 * 1024**3

POSITIVE_CLASS = 1
FEW_ROWS = 1000


class ModelRegistry:
    """Saves models, and loads them by digest with an allowlist of types."""

    def __init__(self, blobs: "BlobStore") -> None:
        self._blobs = blobs

    def save(self, model: object) -> ArtifactRef:
        """Store ``model`` as skops bytes. Dumps are not byte-identical: keep the ref, do not save again.

        Raises ModelError when skops cannot write a part of it.
        """
        import skops.io

        try:
            body = skops.io.dumps(model)
        except Exception as error:
            raise ModelError(
                f"skops cannot write this model ({_named(error)}).",
                where=type(model).__qualname__,
                remedy="build it from estimators and arrays; open files, modules and generators cannot be saved.",
            ) from error
        return self._blobs.put(body, SKOPS_MEDIA_TYPE)

    def load(self, ref: ArtifactRef, *, trusted_types: Sequence[str]) -> Any:
        """Build the model from bytes that still have the digest of ``ref``.

        The format is told by the bytes, never by ``ref.media_type``. Raises ModelError for a pickle, for junk
        and for a type that neither skops nor ``trusted_types`` trusts; IntegrityError for changed bytes.
        """
        import skops.io

        where = f"model {ref.sha256}"
        body = self._blobs.get(ref)
        _require_skops(body, where)
        try:
            untrusted = set(skops.io.get_untrusted_types(data=body)) - set(trusted_types)
            _require_trusted(untrusted, where)
            return skops.io.loads(body, trusted=list(trusted_types))
        except ModelError:
            raise
        except Exception as error:
            # Damaged archives surface as BadZipFile, KeyError, ValueError and more.
            raise _not_a_model(f"skops cannot read it ({_named(error)})", where) from error

    def answers(
        self, model: Any, frame: "pd.DataFrame", features: Sequence[str], task: Task
    ) -> npt.NDArray[np.float64]:
        """What a model of ``task`` says of each row: `score`, `predict` or `probabilities`, whose errors it raises."""
        if task == "regression":
            return self.predict(model, frame, features)
        return (self.score if task == "binary_classification" else self.probabilities)(model, frame, features)

    @staticmethod
    def score(model: Any, frame: "pd.DataFrame", features: Sequence[str]) -> npt.NDArray[np.float64]:
        """The probability of class 1 for each row: float64 of shape (n,), each within [0, 1].

        ``features`` are passed in this order. Raises ModelError when the model refuses the rows or gives
        anything else than one probability a row.
        """
        answer, classes = _asked(model, frame, features)
        return _positive(answer, classes, len(frame), type(model).__qualname__)

    @staticmethod
    def probabilities(model: Any, frame: "pd.DataFrame", features: Sequence[str]) -> npt.NDArray[np.float64]:
        """The probability of each class for each row: float64 of shape (n, classes), in the order of `class_names`.

        Raises ModelError as `score`; whether rows sum to 1 is for the check that uses them to say.
        """
        answer, classes = _asked(model, frame, features)
        where, remedy = type(model).__qualname__, "`predict_proba` must give one probability a class."
        if answer.shape != (len(frame), len(classes)):
            shape = len(frame), len(classes)
            raise ModelError(f"the probabilities have shape {answer.shape}, not {shape}.", where=where, remedy=remedy)
        if not bool(np.all((answer >= 0) & (answer <= 1))):
            raise ModelError("a probability is NaN or outside 0 to 1.", where=where, remedy=remedy)
        return answer

    @staticmethod
    def class_names(model: Any) -> tuple[str, ...]:
        """The classes of a classifier as text. Raises ModelError where it has none or two of one name."""
        try:
            names = tuple(class_name(value) for value in model.classes_)
        except (AttributeError, TypeError):
            names = ()
        if len(names) < 2 or len(set(names)) < len(names):
            raise ModelError(
                f"the model's classes are {list(names)}.",
                where=type(model).__qualname__,
                remedy="train a classifier on labels that differ as text.",
            )
        return names

    @staticmethod
    def predict(model: Any, frame: "pd.DataFrame", features: Sequence[str]) -> npt.NDArray[np.float64]:
        """The predicted number of each row: float64 of shape (n,), finite. Raises ModelError as `score`."""
        where = type(model).__qualname__
        _require_columns(frame, features, where)
        remedy = "train a regressor whose `predict` gives one finite number a row, whatever its features hold."
        try:
            with _few_threads(len(frame)):
                answer = np.asarray(model.predict(frame[list(features)]), dtype=np.float64)
        except Exception as error:
            raise ModelError(
                f"the model cannot predict {len(frame)} row(s) ({_named(error)}).", where=where, remedy=remedy
            ) from error
        if answer.shape != (len(frame),):
            raise ModelError(
                f"the predictions have shape {answer.shape}, not ({len(frame)},).", where=where, remedy=remedy
            )
        if not bool(np.isfinite(answer).all()):
            raise ModelError("a prediction is NaN or infinite.", where=where, remedy=remedy)
        return answer


def _asked(model: Any, frame: "pd.DataFrame", features: Sequence[str]) -> tuple[npt.NDArray[np.float64], list[Any]]:
    """What a classifier says of the rows, and its classes."""
    where = type(model).__qualname__
    _require_columns(frame, features, where)
    try:
        classes = list(model.classes_)
        with _few_threads(len(frame)):
            return np.asarray(model.predict_proba(frame[list(features)]), dtype=np.float64), classes
    except Exception as error:
        raise ModelError(
            f"the model cannot score {len(frame)} row(s) ({_named(error)}).",
            where=where,
            remedy="train a classifier with `predict_proba` that takes every value its features can have.",
        ) from error


def _few_threads(rows: int) -> AbstractContextManager[object]:
    """One OpenMP thread for few rows: waking the others took 11 ms a row where 7 ms do, 60 on a busy machine."""
    return nullcontext() if rows > FEW_ROWS else _threads().limit(limits=1, user_api="openmp")


@functools.cache
def _threads() -> "ThreadpoolController":
    # Made once a model is there, for it knows only the libraries that are loaded by then.
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}"


def _not_a_model(problem: str, where: str) -> ModelError:
    return ModelError(
        f"the bytes are no model: {problem}.",
        where=where,
        remedy="save the model again with `ModelRegistry.save`.",
    )


def _require_skops(body: bytes, where: str) -> None:
    if _is_pickle(body):
        raise ModelError(
            "the model is a pickle, which runs code when it is loaded.",
            where=where,
            remedy="save it as skops, with `ModelRegistry.save`.",
        )
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise _not_a_model(_named(error), where) from error
    if "schema.json" not in {entry.filename for entry in entries}:
        raise _not_a_model("the archive has no skops `schema.json`", where)
    if not sum(entry.file_size for entry in entries) <= MAX_UNPACKED_BYTES:
        raise _not_a_model(f"it unpacks to more than {MAX_UNPACKED_BYTES} bytes", where)


def _is_pickle(body: bytes) -> bool:
    """Whether the bytes read as pickle opcodes up to STOP; nothing of them is run."""
    if body[:1] == b"\x80":
        return True
    if body[:2] == b"PK":
        return False
    try:
        return any(opcode.name == "STOP" for opcode, _, _ in pickletools.genops(body))
    except Exception:  # noqa: BLE001 - genops raises whatever the bytes provoke: then they are no pickle
        return False


def _require_trusted(untrusted: set[str], where: str) -> None:
    if untrusted:
        raise ModelError(
            f"the model holds types that nobody has allowed: {', '.join(sorted(untrusted))}.",
            where=where,
            remedy="review what they do when loaded, then add them to `trusted_types` in model.yaml.",
        )


def _require_columns(frame: "pd.DataFrame", features: Sequence[str], where: str) -> None:
    missing = [name for name in features if name not in frame.columns]
    if missing:
        raise ModelError(
            f"the rows lack the feature(s) {', '.join(missing)}.",
            where=where,
            remedy="pass every feature that the model was trained with.",
        )


def _positive(answer: npt.NDArray[np.float64], classes: list[Any], rows: int, where: str) -> npt.NDArray[np.float64]:
    remedy = "labels must be 0 and 1, and `predict_proba` must give one column a class."
    if classes not in ([0, 1], [1, 0]):
        raise ModelError(f"the model's classes are {classes}, not 0 and 1.", where=where, remedy=remedy)
    if answer.shape != (rows, 2):
        raise ModelError(f"the scores have shape {answer.shape}, not ({rows}, 2).", where=where, remedy=remedy)
    scores = answer[:, classes.index(POSITIVE_CLASS)]
    if not bool(np.all((scores >= 0) & (scores <= 1))):
        raise ModelError("a score is NaN or outside 0 to 1.", where=where, remedy=remedy)
    return scores
