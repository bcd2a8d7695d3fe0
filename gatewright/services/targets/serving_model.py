"""The model that serves: follows a channel, loads the next model beside the present one, then swaps.

Who scores reads ``current`` once and keeps that model to the end of the request, so a swap drops nothing.
A model that cannot be loaded leaves the one before in place.
"""

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gatewright.core.channels import ChannelEntry
from gatewright.core.errors import GatewrightError, IntegrityError, NotFoundError
from gatewright.core.refs import Candidate
from gatewright.core.releases import EvidenceRoot, Opening
from gatewright.core.spec import ModelSpec, Task
from gatewright.services.model_probe import WarmUp
from gatewright.services.targets.rows import warm_up_row

if TYPE_CHECKING:
    import pandas as pd

    from gatewright.services.blobs import BlobStore
    from gatewright.services.channel_store import ChannelStore
    from gatewright.services.evidence_store import EvidenceStore
    from gatewright.services.registry import ModelRegistry

__all__ = ["ModelSource", "Serving", "ServingModel"]

logger = logging.getLogger(__name__)

RETRY_SECONDS = (1, 2, 4, 8, 16, 32, 60)


@dataclass(frozen=True)
class Serving:
    """A loaded model and the terms it was released under.

    ``ask`` says of each row of a frame what `ModelRegistry.answers` does; ``threshold`` is NaN and ``classes``
    empty where the task has none.
    """

    ask: Callable[["pd.DataFrame"], Any]
    task: Task
    classes: tuple[str, ...]
    model_sha256: str
    release_id: str
    generation: int
    features: tuple[str, ...]
    categorical: tuple[str, ...]
    threshold: float
    since: datetime


class ModelSource:
    """Where a channel's models are found and how they are loaded."""

    def __init__(
        self,
        *,
        model: str,
        channel: str,
        spec: ModelSpec,
        registry: "ModelRegistry",
        blobs: "BlobStore",
        channels: "ChannelStore",
        evidence: "EvidenceStore",
    ) -> None:
        self.model = model
        self.channel = channel
        self._spec = spec
        self._registry = registry
        self._blobs = blobs
        self._channels = channels
        self._evidence = evidence

    def head(self) -> tuple[int, ChannelEntry] | None:
        """The channel's head. Raises StoreError."""
        return self._channels.head(self.model, self.channel)

    def load(self, generation: int, entry: ChannelEntry, since: datetime) -> Serving:
        """Load, by its digest, the model ``entry`` names, and let it score a row.

        Raises NotFoundError, IntegrityError or ModelError.
        """
        release_id, candidate = self._candidate(entry)
        spec = self._spec_of(release_id)
        categorical = tuple(name for name in candidate.features if name in spec.categorical)
        asked = WarmUp(candidate.features, categorical, spec.task)
        model = self._registry.load(candidate.artifact, trusted_types=spec.trusted_types, warm_up=asked)
        row = warm_up_row(model, candidate.features, categorical)

        def ask(frame: "pd.DataFrame") -> Any:
            return self._registry.answers(model, frame, candidate.features, spec.task)

        ask(row)
        several = spec.task == "multiclass_classification"
        return Serving(
            ask=ask,
            task=spec.task,
            classes=self._registry.class_names(model) if several else (),
            model_sha256=candidate.artifact.sha256,
            release_id=release_id,
            generation=generation,
            features=candidate.features,
            categorical=categorical,
            threshold=math.nan if spec.decision_threshold is None else spec.decision_threshold,
            since=since,
        )

    def _candidate(self, entry: ChannelEntry) -> tuple[str, Candidate]:
        """The release that made the model: a revert or rollback may be an event of another release."""
        moves = [past for _, past in reversed(self._channels.history(self.model, self.channel))]
        for move in (entry, *(past for past in moves if past.model_sha256 == entry.model_sha256)):
            candidate = self._evidence.find("candidate", move.release_id, Candidate)
            if candidate and candidate.artifact.sha256 == entry.model_sha256:
                self._require_sealed_evidence(move)
                return move.release_id, candidate
        raise NotFoundError(
            f"no release of the channel's history has the model {entry.model_sha256}.",
            where=f"channel {self.model}/{self.channel}",
            remedy="move the channel to a deployed release with `gatewright rollback`.",
        )

    def _require_sealed_evidence(self, move: ChannelEntry) -> None:
        """Candidate and opening say how the model is loaded and asked: they must be those that were approved."""
        if move.evidence_root is None:
            return
        root = self._evidence.read("root", move.release_id, EvidenceRoot)
        sealed = {name: root.records.get(name) for name in ("candidate", "opening")}
        found = {name: self._evidence.digest(name, move.release_id) for name in sealed}
        if root.digest != move.evidence_root or found != sealed:
            raise IntegrityError(
                "the evidence in the store is not what the pipeline sealed.",
                where=f"release {move.release_id}",
                remedy="find out who changed the store; restore the records from a backup, or roll back.",
            )

    def _spec_of(self, release_id: str) -> ModelSpec:
        # A later edit of model.yaml must not change the threshold or the allowlist of an approved model.
        opening = self._evidence.find("opening", release_id, Opening)
        if opening is None:
            return self._spec
        return ModelSpec.from_bytes(self._blobs.get(opening.spec), where=f"spec of release {release_id}")


class ServingModel:
    """Holds what serves. ``refresh`` is called by one thread; everything else may be read by all."""

    def __init__(
        self,
        source: ModelSource,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._now = now
        self._clock = clock
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._failed_generation = 0
        self._failures = 0
        self._retry_at = 0.0
        self.current: Serving | None = None
        self.wanted: str | None = None
        self.error: str | None = None

    def refresh(self) -> None:
        """Look at the channel once and follow it. What goes wrong is logged and kept in ``error``."""
        try:
            head = self._source.head()
            if head is None:
                self._report("the channel has no deployment yet.")
            else:
                self._follow(*head)
        except GatewrightError as error:
            self._report(str(error))
        except Exception as error:
            # Whatever a model's bytes provoke, the model before must go on serving.
            logger.exception("following the channel failed")
            self._report(f"unexpected {type(error).__name__}, see the log of the service.")

    def start(self, poll_seconds: float) -> None:
        """Follow the channel in the background."""
        self._thread = threading.Thread(target=self._run, args=(poll_seconds,), name="serving-model", daemon=True)
        self._thread.start()

    def stop(self, *, timeout_seconds: float = 5.0) -> None:
        """Stop following; the model in place stays."""
        self._stopping.set()
        if self._thread:
            self._thread.join(timeout_seconds)

    def _run(self, poll_seconds: float) -> None:
        while not self._stopping.is_set():
            self.refresh()
            self._stopping.wait(poll_seconds)

    def _follow(self, generation: int, entry: ChannelEntry) -> None:
        self.wanted = entry.model_sha256
        if entry.model_sha256 is None:
            self.current = None
        elif self.current and self.current.model_sha256 == entry.model_sha256:
            self.current = replace(self.current, generation=generation)
        elif self._must_wait(generation):
            return
        else:
            self._swap(generation, entry)
        self._failures = 0
        self._report(None)

    def _swap(self, generation: int, entry: ChannelEntry) -> None:
        self._failures = self._failures + 1 if generation == self._failed_generation else 1
        self._failed_generation = generation
        self._retry_at = self._clock() + RETRY_SECONDS[min(self._failures, len(RETRY_SECONDS)) - 1]
        if self._failures == 1:
            # What was wrong with the model before is no answer to whoever waits for this one.
            self.error = f"model {entry.model_sha256} is being loaded."
        self.current = self._source.load(generation, entry, self._now())
        logger.info("model %s of release %s serves", self.current.model_sha256, self.current.release_id)

    def _must_wait(self, generation: int) -> bool:
        """Whether this generation failed to load a moment ago: loading again is not free."""
        return self._failures > 0 and generation == self._failed_generation and self._clock() < self._retry_at

    def _report(self, error: str | None) -> None:
        if error != self.error and error:
            logger.error("channel %s/%s: %s", self._source.model, self._source.channel, error)
        self.error = error
