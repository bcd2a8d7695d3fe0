"""Scores of a model on a dataset, computed once per (model digest, data digest) and kept in the store."""

import io
from typing import TYPE_CHECKING

from gatewright.core.errors import DataError, IntegrityError
from gatewright.core.records import Record, Sha256
from gatewright.core.refs import ArtifactRef, Candidate, DatasetRef
from gatewright.core.spec import ModelSpec
from gatewright.services.blobs import BlobStore
from gatewright.services.model_probe import WarmUp
from gatewright.services.registry import ModelRegistry
from gatewright.services.store import ObjectStore

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["Scores"]


class _Kept(Record):
    """Where the scores of a pair of digests are; ``classes``: of several classes the names of the columns."""

    model_sha256: Sha256
    dataset_sha256: Sha256
    scores: ArtifactRef
    classes: tuple[str, ...] = ()


class Scores:
    """Inference is the dominant cost of a release, so every stage shares one pass of it."""

    def __init__(self, store: ObjectStore, blobs: BlobStore, registry: ModelRegistry) -> None:
        self._store = store
        self._blobs = blobs
        self._registry = registry

    def of(self, candidate: Candidate, dataset: DatasetRef, frame: "pd.DataFrame", spec: ModelSpec) -> "np.ndarray":
        """Scores of ``frame``, which must hold exactly the rows of ``dataset`` in order.

        By the task of ``spec``: probabilities of the positive class or predicted numbers, shape (rows,); of several
        classes their probabilities, shape (rows, classes), with columns in the order of `classes_of`. Raises
        DataError for a frame with another number of rows, ModelError when the model cannot be loaded or gives
        anything else, IntegrityError when what was kept is not the scores of this pair.
        """
        if len(frame) != dataset.rows:
            raise DataError(
                f"{len(frame)} rows were given, the dataset has {dataset.rows}.",
                where=dataset.name,
                remedy="score all rows of the dataset, in its order.",
            )
        key = _key(candidate, dataset)
        if not self._store.exists(key):
            asked = WarmUp(candidate.features, spec.categorical, spec.task)
            model = self._registry.load(candidate.artifact, trusted_types=spec.trusted_types, warm_up=asked)
            scores = self._registry.answers(model, frame, candidate.features, spec.task)
            several = spec.task == "multiclass_classification"
            self._keep(key, candidate, dataset, scores, self._registry.class_names(model) if several else ())
        kept = self._kept(key, candidate, dataset)
        if bool(kept.classes) != (spec.task == "multiclass_classification"):
            raise _foreign(key, f"they are not those of a {spec.task}")
        return self._read(key, kept, dataset)

    def classes_of(self, candidate: Candidate, dataset: DatasetRef) -> tuple[str, ...]:
        """The classes whose probabilities `of` has kept, in the order of their columns; none of other tasks.

        Raises NotFoundError where nothing was scored yet.
        """
        key = _key(candidate, dataset)
        return self._kept(key, candidate, dataset).classes

    def _keep(
        self, key: str, candidate: Candidate, dataset: DatasetRef, scores: "np.ndarray", classes: tuple[str, ...]
    ) -> None:
        import numpy as np

        buffer = io.BytesIO()
        np.save(buffer, scores, allow_pickle=False)
        ref = self._blobs.put(buffer.getvalue(), "application/x-npy")
        kept = _Kept(model_sha256=candidate.artifact.sha256, dataset_sha256=dataset.digest, scores=ref, classes=classes)
        # Of two that scored at the same time the first one's scores stand, for every stage.
        self._store.create(key, kept.to_bytes(), "application/json")

    def _kept(self, key: str, candidate: Candidate, dataset: DatasetRef) -> _Kept:
        kept = _Kept.from_bytes(self._store.get(key), where=key)
        if (kept.model_sha256, kept.dataset_sha256) != (candidate.artifact.sha256, dataset.digest):
            raise _foreign(key, "they are of another model or other data")
        return kept

    def _read(self, key: str, kept: _Kept, dataset: DatasetRef) -> "np.ndarray":
        import numpy as np

        try:
            scores = np.load(io.BytesIO(self._blobs.get(kept.scores)), allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise _foreign(key, f"they cannot be read ({error})") from error
        shape = (dataset.rows, len(kept.classes)) if kept.classes else (dataset.rows,)
        if not isinstance(scores, np.ndarray) or scores.shape != shape or scores.dtype != np.float64:
            raise _foreign(key, f"they are not {dataset.rows} numbers" + (" for each class" if kept.classes else ""))
        return scores


def _key(candidate: Candidate, dataset: DatasetRef) -> str:
    return f"scores/{candidate.artifact.sha256}/{dataset.digest}.json"


def _foreign(key: str, problem: str) -> IntegrityError:
    return IntegrityError(
        f"the scores that were kept are not those asked for: {problem}.",
        where=key,
        remedy="find out who wrote them; delete this object to have them computed again.",
    )
