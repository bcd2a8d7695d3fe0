"""The model registry: models as skops or ONNX bytes in the blob store. No pickles, and no fallback to them."""

import functools
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from gatewright.core.errors import IntegrityError, ModelError
from gatewright.core.records import sha256_hex
from gatewright.core.refs import ArtifactRef
from gatewright.core.spec import Task
from gatewright.services.model_formats import load_model, model_bytes
from gatewright.services.model_formats.refusals import named
from gatewright.services.model_probe import ModelProbe, WarmUp

if TYPE_CHECKING:
    # Commands that only read releases need not wait for it; who has a model has it.
    import numpy as np
    import numpy.typing as npt
    import pandas as pd
    from threadpoolctl import ThreadpoolController

    from gatewright.services.blobs import BlobStore

__all__ = ["ModelRegistry"]

POSITIVE_CLASS = 1
FEW_ROWS = 1000


class ModelRegistry:
    """Saves models, and loads them by digest with an allowlist of types.

    With a ``probe``, bytes are loaded in a process of their own before they are loaded in this one: once for each
    digest and allowlist, and again where the model is to answer a warm-up row.
    """

    def __init__(self, blobs: "BlobStore", probe: ModelProbe | None = None) -> None:
        self._blobs = blobs
        self._probe = probe
        self._probed: set[tuple[str, frozenset[str], WarmUp | None]] = set()

    def save(self, model: object) -> ArtifactRef:
        """Store an estimator as skops; ONNX (bytes or a ``ModelProto``) and skops bytes as they are.

        Dumps are not byte-identical: keep the ref, do not save again. Raises ModelError when skops cannot write a
        part of it, or for bytes of another format.
        """
        body, media_type = model_bytes(model)
        if self._probe is not None:
            # Who saves a model soon loads it; the probe's libraries are read meanwhile.
            self._probe.start()
        return self._blobs.put(body, media_type)

    def load(self, ref: ArtifactRef, *, trusted_types: Sequence[str], warm_up: WarmUp | None = None) -> Any:
        """Build the model from bytes that have the digest of ``ref``: in the probe, then here from the same bytes.

        The format is told by the bytes, never by ``ref.media_type``. Raises ModelError for a pickle, for junk, for a
        type that neither skops nor ``trusted_types`` trusts, and for what the probe refuses; IntegrityError for
        changed bytes.
        """
        where = f"model {ref.sha256}"
        body = self._blobs.get(ref)
        self._require_probed(body, ref, trusted_types, warm_up, where)
        if sha256_hex(body) != ref.sha256:
            raise IntegrityError(
                "the bytes changed in memory between the probe and the load.",
                where=where,
                remedy="stop this process and investigate the machine.",
            )
        return load_model(body, trusted_types, where=where)

    def _require_probed(
        self, body: bytes, ref: ArtifactRef, trusted_types: Sequence[str], warm_up: WarmUp | None, where: str
    ) -> None:
        terms = ref.sha256, frozenset(trusted_types), warm_up
        if self._probe is None or terms in self._probed or (warm_up is None and self._loads(terms)):
            return
        self._probe.require_loadable(body, trusted_types, where=where, warm_up=warm_up)
        self._probed.add(terms)

    def _loads(self, terms: tuple[str, frozenset[str], WarmUp | None]) -> bool:
        """Whether it was probed with a warm-up row, which says more."""
        return any(probed[:2] == terms[:2] for probed in self._probed)

    def answers(
        self, model: Any, frame: "pd.DataFrame", features: Sequence[str], task: Task
    ) -> "npt.NDArray[np.float64]":
        """What a model of ``task`` says of each row: `score`, `predict` or `probabilities`, whose errors it raises."""
        if task == "regression":
            return self.predict(model, frame, features)
        return (self.score if task == "binary_classification" else self.probabilities)(model, frame, features)

    @staticmethod
    def score(model: Any, frame: "pd.DataFrame", features: Sequence[str]) -> "npt.NDArray[np.float64]":
        """The probability of class 1 for each row: float64 of shape (n,), each within [0, 1].

        ``features`` are passed in this order. Raises ModelError when the model refuses the rows or gives
        anything else than one probability a row.
        """
        answer, classes = _asked(model, frame, features)
        return _positive(answer, classes, len(frame), type(model).__qualname__)

    @staticmethod
    def probabilities(model: Any, frame: "pd.DataFrame", features: Sequence[str]) -> "npt.NDArray[np.float64]":
        """The probability of each class for each row: float64 of shape (n, classes), in the order of `class_names`.

        Raises ModelError as `score`; whether rows sum to 1 is for the check that uses them to say.
        """
        answer, classes = _asked(model, frame, features)
        where, remedy = type(model).__qualname__, "`predict_proba` must give one probability a class."
        if answer.shape != (len(frame), len(classes)):
            shape = len(frame), len(classes)
            raise ModelError(f"the probabilities have shape {answer.shape}, not {shape}.", where=where, remedy=remedy)
        if not bool(((answer >= 0) & (answer <= 1)).all()):
            raise ModelError("a probability is NaN or outside 0 to 1.", where=where, remedy=remedy)
        return answer

    @staticmethod
    def class_names(model: Any) -> tuple[str, ...]:
        """The classes of a classifier as text. Raises ModelError where it has none or two of one name."""
        from gatewright.core.frames import class_name

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
    def predict(model: Any, frame: "pd.DataFrame", features: Sequence[str]) -> "npt.NDArray[np.float64]":
        """The predicted number of each row: float64 of shape (n,), finite. Raises ModelError as `score`."""
        import numpy as np

        where = type(model).__qualname__
        _require_columns(frame, features, where)
        remedy = "train a regressor whose `predict` gives one finite number a row, whatever its features hold."
        try:
            with _few_threads(len(frame)):
                answer = np.asarray(model.predict(frame[list(features)]), dtype=np.float64)
        except Exception as error:
            raise ModelError(
                f"the model cannot predict {len(frame)} row(s) ({named(error)}).", where=where, remedy=remedy
            ) from error
        if answer.shape != (len(frame),):
            raise ModelError(
                f"the predictions have shape {answer.shape}, not ({len(frame)},).", where=where, remedy=remedy
            )
        if not bool(np.isfinite(answer).all()):
            raise ModelError("a prediction is NaN or infinite.", where=where, remedy=remedy)
        return answer


def _asked(model: Any, frame: "pd.DataFrame", features: Sequence[str]) -> "tuple[npt.NDArray[np.float64], list[Any]]":
    """What a classifier says of the rows, and its classes."""
    import numpy as np

    where = type(model).__qualname__
    _require_columns(frame, features, where)
    try:
        classes = list(model.classes_)
        with _few_threads(len(frame)):
            return np.asarray(model.predict_proba(frame[list(features)]), dtype=np.float64), classes
    except Exception as error:
        raise ModelError(
            f"the model cannot score {len(frame)} row(s) ({named(error)}).",
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


def _require_columns(frame: "pd.DataFrame", features: Sequence[str], where: str) -> None:
    missing = [name for name in features if name not in frame.columns]
    if missing:
        raise ModelError(
            f"the rows lack the feature(s) {', '.join(missing)}.",
            where=where,
            remedy="pass every feature that the model was trained with.",
        )


def _positive(
    answer: "npt.NDArray[np.float64]", classes: list[Any], rows: int, where: str
) -> "npt.NDArray[np.float64]":
    remedy = "labels must be 0 and 1, and `predict_proba` must give one column a class."
    if classes not in ([0, 1], [1, 0]):
        raise ModelError(f"the model's classes are {classes}, not 0 and 1.", where=where, remedy=remedy)
    if answer.shape != (rows, 2):
        raise ModelError(f"the scores have shape {answer.shape}, not ({rows}, 2).", where=where, remedy=remedy)
    scores = answer[:, classes.index(POSITIVE_CLASS)]
    if not bool(((scores >= 0) & (scores <= 1)).all()):
        raise ModelError("a score is NaN or outside 0 to 1.", where=where, remedy=remedy)
    return scores
