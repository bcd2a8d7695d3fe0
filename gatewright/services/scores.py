"""Scores of a model on a dataset, computed once per (model digest, data digest) and kept in the store."""

import io
from typing import TYPE_CHECKING

from gatewright.core.records import Record
from gatewright.core.refs import ArtifactRef, Candidate, DatasetRef
from gatewright.core.spec import ModelSpec
from gatewright.services.blobs import BlobStore
from gatewright.services.registry import ModelRegistry
from gatewright.services.store import ObjectStore

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["Scores"]


class _Kept(Record):
    """Where the scores of a pair of digests are."""

    model_sha256: str
    dataset_sha256: str
    scores: ArtifactRef


class Scores:
    """Inference is the dominant cost of a release, so every stage shares one pass of it."""

    def __init__(self, store: ObjectStore, blobs: BlobStore, registry: ModelRegistry) -> None:
        self._store = store
        self._blobs = blobs
        self._registry = registry

    def of(self, candidate: Candidate, dataset: DatasetRef, frame: "pd.DataFrame", spec: ModelSpec) -> "np.ndarray":
        """Scores, shape (rows,), of ``frame``, which must hold exactly the rows of ``dataset`` in order.

        Raises ModelError when the model cannot be loaded or gives anything but probabilities.
        """
        import numpy as np

        key = f"scores/{candidate.artifact.sha256}/{dataset.digest}.json"
        if self._store.exists(key):
            kept = _Kept.from_bytes(self._store.get(key), where=key)
            return np.load(io.BytesIO(self._blobs.get(kept.scores)), allow_pickle=False)  # type: ignore[no-any-return]
        model = self._registry.load(candidate.artifact, trusted_types=spec.trusted_types)
        scores = self._registry.score(model, frame, candidate.features)
        self._keep(key, candidate, dataset, scores)
        return scores

    def _keep(self, key: str, candidate: Candidate, dataset: DatasetRef, scores: "np.ndarray") -> None:
        import numpy as np

        buffer = io.BytesIO()
        np.save(buffer, scores, allow_pickle=False)
        ref = self._blobs.put(buffer.getvalue(), "application/x-npy")
        kept = _Kept(model_sha256=candidate.artifact.sha256, dataset_sha256=dataset.digest, scores=ref)
        self._store.create(key, kept.to_bytes(), "application/json")
