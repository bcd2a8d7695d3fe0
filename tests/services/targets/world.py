"""A tiny released model in a store in memory."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

from gatewright.core.channels import ChannelEntry
from gatewright.core.refs import Candidate, DatasetRef
from gatewright.core.spec import ModelSpec
from gatewright.services.blobs import BlobStore
from gatewright.services.channel_store import ChannelStore
from gatewright.services.evidence_store import EvidenceStore
from gatewright.services.prediction_log import PredictionLog
from gatewright.services.registry import ModelRegistry
from tests.fakes import MemoryStore

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FEATURES = ("age", "speed", "sex")


def tiny_spec(**changes: Any) -> ModelSpec:
    """A spec with two numbers and one category."""
    text = "not said"
    values: dict[str, Any] = {
        "name": "tiny",
        "title": "Tiny <model>",
        "task": "binary_classification",
        "target": {"column": "dead", "positive": 1},
        "features": FEATURES,
        "categorical": ("sex",),
        "sensitive": ({"name": "sex", "column": "sex"},),
        "decision_threshold": 0.5,
        "data": {
            "path": "data/{period}.parquet",
            "periods": ("2000", "2001"),
            "time_column": "year",
            "key": ("id",),
            "license": text,
            "attribution": text,
        },
        "training": "tests.training:fit",
        "policy": "policy.yaml",
        "suites": {"training": "a.json", "evaluation": "b.json"},
        "card": {
            "owner": text,
            "intended_use": text,
            "out_of_scope": text,
            "limits": text,
            "ethical_considerations": text,
        },
    }
    return ModelSpec.model_validate({**values, **changes})


def tiny_model(seed: int, *, unknown: str = "use_encoded_value") -> Pipeline:
    """A fitted pipeline over FEATURES; each seed gives other scores."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 10, 80),
            "speed": rng.normal(50, 20, 80),
            "sex": pd.Series(rng.choice(["f", "m"], 80), dtype="str"),
        }
    )
    labels = (frame["age"] + rng.normal(0, 10, 80) > 40).astype(int)
    code = {"unknown_value": -1} if unknown == "use_encoded_value" else {}
    encoder = OrdinalEncoder(handle_unknown=unknown, **code)
    columns = ColumnTransformer([("sex", encoder, ["sex"])], remainder="passthrough")
    return Pipeline([("columns", columns), ("model", LogisticRegression())]).fit(frame, labels)


class World:
    """What a release leaves behind, made by hand."""

    def __init__(self, root: Path) -> None:
        self.store = MemoryStore()
        self.blobs = BlobStore(self.store, root / "cache")
        self.cache = root / "cache"
        self.registry = ModelRegistry(self.blobs)
        self.channels = ChannelStore(self.store)
        self.evidence = EvidenceStore(self.store)
        self.spec = tiny_spec()

    def release(self, release_id: str, model: object, *, features: tuple[str, ...] = FEATURES) -> str:
        """Save a model as the candidate of a release; its digest."""
        artifact = self.registry.save(model)
        candidate = Candidate(
            model="tiny",
            artifact=artifact,
            features=features,
            training=DatasetRef(name="train", files=()),
            trained_at=NOW,
            seed=0,
            author="somebody",
            code_revision="abc",
            environment_sha256="0" * 64,
            versions={},
        )
        self.evidence.write("candidate", release_id, candidate)
        return artifact.sha256

    def move(self, release_id: str, model_sha256: str | None, action: Any = "deploy") -> int:
        """Move the production channel."""
        head = self.channels.head("tiny", "production")
        entry = self.entry(release_id, model_sha256, action)
        return self.channels.move("tiny", "production", entry, expected=head[0] if head else 0)

    @staticmethod
    def entry(release_id: str, model_sha256: str | None, action: Any = "deploy") -> ChannelEntry:
        """A move, not made yet."""
        return ChannelEntry(
            action=action,
            release_id=release_id,
            model_sha256=model_sha256,
            actor="somebody",
            reason="a test",
            at=NOW,
            operation=release_id,
        )

    def deploy(self, release_id: str, model: object) -> str:
        """Release a model and move the channel to it."""
        digest = self.release(release_id, model)
        self.move(release_id, digest)
        return digest

    def damage(self, digest: str) -> None:
        """Change the bytes of a blob in the store, and drop the local copy."""
        for key in [key for key in self.store.keys("") if digest in key]:
            self.store.objects[key] = b"damaged"
        for path in [path for path in self.cache.rglob("*") if digest in path.name]:
            os.chmod(path, 0o600)
            path.unlink()

    def parts(self) -> dict[str, Any]:
        """What the scoring service is put together from."""
        return {
            "model": "tiny",
            "channel": "production",
            "spec": self.spec,
            "registry": self.registry,
            "blobs": self.blobs,
            "channels": self.channels,
            "evidence": self.evidence,
        }

    def log(self, **options: Any) -> PredictionLog:
        return PredictionLog(self.store, "tiny", **options)
