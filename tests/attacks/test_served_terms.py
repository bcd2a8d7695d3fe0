"""Attacks on what a model is served with: its threshold and allowlist are sealed as its bytes are."""

from pathlib import Path

import pytest

from gatewright.core.releases import EvidenceRoot
from gatewright.services.targets.serving_model import ModelSource, ServingModel
from tests.services.reports.example_view import OPENING
from tests.services.targets.world import NOW, World, tiny_model, tiny_spec


class Sealed(World):
    """A release with its opening and root, and a channel that names the root."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.model = self.release("r1", tiny_model(1))
        self.evidence.write("opening", "r1", self.opening(0.5))
        records = {name: self.evidence.digest(name, "r1") for name in ("candidate", "opening")}
        sealed = EvidenceRoot(release_id="r1", records=records, model_sha256=self.model)
        self.evidence.write("root", "r1", sealed)
        entry = self.entry("r1", self.model).model_copy(update={"evidence_root": sealed.digest})
        self.channels.move("tiny", "production", entry, expected=0)

    def opening(self, threshold: float):
        spec = tiny_spec(decision_threshold=threshold).to_bytes()
        return OPENING.model_copy(update={"release_id": "r1", "spec": self.blobs.put(spec, "application/json")})

    def followed(self) -> ServingModel:
        serving = ServingModel(ModelSource(**self.parts()), now=lambda: NOW)
        serving.refresh()
        return serving


@pytest.fixture
def sealed(tmp_path: Path) -> Sealed:
    return Sealed(tmp_path)


def test_the_approved_threshold_is_served(sealed: Sealed):
    """The one that the release was opened with."""
    assert sealed.followed().current.threshold == 0.5


@pytest.mark.parametrize("name", ["opening", "candidate", "root"])
def test_an_edited_record_keeps_the_model_from_being_served(sealed: Sealed, name: str):
    """Who can write to the bucket cannot change the threshold, the features or the allowlist of a sealed model."""
    key = f"releases/r1/{name}.json"
    before = sealed.store.objects[key]
    changes = {
        "opening": sealed.opening(0.99).to_bytes(),
        "candidate": before.replace(b'"seed":0', b'"seed":1'),
        "root": before.replace(b'"release_id":"r1"', b'"release_id":"r2"'),
    }
    assert changes[name] != before
    sealed.store.objects[key] = changes[name]
    serving = sealed.followed()
    assert serving.current is None
    assert "not what the pipeline sealed" in str(serving.error)
