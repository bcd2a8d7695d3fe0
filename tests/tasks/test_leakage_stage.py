"""The leakage stage asks what the champion has learned from, and reads no file twice for it."""

import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from gatewright.core.checks.champion_seen import CHAMPION_METRICS
from gatewright.core.judging import judge
from gatewright.core.refs import DatasetFile, DatasetRef
from gatewright.core.releases import Champion, ReleaseData
from gatewright.core.results import Measurement, Status
from gatewright.services.blobs import BlobStore
from gatewright.services.datasets import PARQUET, Datasets
from tasks import leakage
from tests.core.examples import DIGEST, policy, rule
from tests.fakes import MemoryStore
from tests.services.reports.example_view import CANDIDATE, OPENING, SPEC

PERIODS = ("1997", "1998", "1999", "2000")
ROWS = 60
DATA = {"periods": list(PERIODS), "key": ["year", "case"], "cluster": ["case"]}
MODEL = SPEC.model_copy(update={"data": SPEC.data.model_copy(update={k: tuple(v) for k, v in DATA.items()})})
HELD_OUT = rule(
    id="champion-held-out", stage="leakage", metric="champion_seen_rows", minimum=None, maximum=0, needs_champion=True,
    severity="warn", decide_on="value",
)  # fmt: skip


class Place:
    """A store with four years of data, and the stage on it."""

    def __init__(self, folder: Path) -> None:
        self.store = MemoryStore()
        self.blobs = BlobStore(self.store, folder)
        self.datasets = Datasets(self.blobs, folder)
        self.frames = {period: year(period) for period in PERIODS}

    def pin(self, *periods: str) -> DatasetRef:
        return DatasetRef(name="triage", files=tuple(map(self._file, periods)))

    def _file(self, period: str) -> DatasetFile:
        frame, body = self.frames[period], io.BytesIO()
        frame.to_parquet(body, index=False)
        artifact = self.blobs.put(body.getvalue(), PARQUET)
        return DatasetFile(uri=f"{period}.parquet", period=period, rows=len(frame), artifact=artifact)

    def found(self, champion: DatasetRef | None, *, trained_on: tuple[str, ...] = ("1997",), period: str = "1998"):
        """What the stage measures of the champion's training data; the store's calls are those of the stage."""
        data = ReleaseData(training=self.pin(*trained_on), evaluation=self.pin(period))
        record = champion and CANDIDATE.model_copy(update={"training": champion})
        serving = None if champion is None else Champion(release_id="before", model_sha256=DIGEST)
        services = SimpleNamespace(
            releases=SimpleNamespace(spec=lambda _: MODEL, policy=lambda _: policy()),
            datasets=lambda _: self.datasets,
            evidence=SimpleNamespace(read=lambda name, release_id, kind: record),
        )
        self.store.calls.clear()
        opening = OPENING.model_copy(update={"champion": serving})
        measurements = leakage._find(services, opening, data, CANDIDATE).measurements
        return {m.metric: m for m in measurements if m.metric in CHAMPION_METRICS}

    @property
    def reads(self) -> int:
        return sum(operation == "get" for operation, _ in self.store.calls)


def year(period: str) -> pd.DataFrame:
    rng = np.random.default_rng(int(period))
    return pd.DataFrame(
        {
            "year": int(period),
            "case": np.arange(ROWS) // 2 + ROWS * int(period),
            "dead": np.where(rng.random(ROWS) < 0.3, "dead", "alive"),
            "speed": rng.normal(50, 10, ROWS),
            "belt": rng.choice(["none", "belted"], ROWS),
            "age": rng.integers(16, 90, ROWS),
            "sex": rng.choice(["f", "m"], ROWS),
            "severity": 0.0,
        }
    )


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def status(found: dict[str, Measurement]) -> Status:
    (result,) = judge(policy(HELD_OUT), [("leakage", m) for m in found.values()], has_champion=True)
    return result.status


def test_a_champion_of_a_later_period_has_seen_all_rows(place: Place):
    """Known by the digest of the file: training and evaluation data are read once each, and nothing else."""
    found = place.found(place.pin("1997", "1998"))
    assert {m.metric: m.value for m in found.values()} == dict.fromkeys(CHAMPION_METRICS, 1)
    assert found["champion_seen_rows"].note == "60 of 60 rows"
    assert status(found) is Status.FAILED
    assert place.reads == 2


def test_the_weekly_case_reads_nothing_more(place: Place):
    """The champion learned from the years before those of the candidate."""
    found = place.found(place.pin("1997", "1998"), trained_on=("1997", "1998", "1999"), period="2000")
    assert {m.value for m in found.values()} == {0}
    assert status(found) is Status.PASSED
    assert place.reads == 4


def test_other_files_are_read_one_by_one(place: Place):
    """The years after the evaluation's stand in nothing that the stage has loaded."""
    found = place.found(place.pin("1997", "1998", "1999", "2000"))
    assert found["champion_seen_rows"].value == 1
    assert place.reads == 4


def test_the_same_rows_in_other_bytes_are_found_by_reading(place: Place):
    """What the digest says at once and what the rows say is the same, measurement by measurement."""
    by_digest = place.found(place.pin("1998"))
    place.frames["1998"] = year("1998").sample(frac=1, random_state=0)
    rewritten = place.pin("1998")
    place.frames["1998"] = year("1998")
    assert place.found(rewritten) == by_digest
    assert place.reads == 3


def test_half_a_year_that_was_delivered_early_is_half_seen(place: Place):
    """30 of 60 rows, in 15 of 30 cases."""
    place.frames["1999"] = year("1998").head(ROWS // 2)
    found = place.found(place.pin("1997", "1999"))
    assert [(m.value, m.note) for m in found.values()] == [(0.5, "30 of 60 rows"), (0.5, "15 of 30 entities")]


def test_of_the_files_that_both_learned_from_each_has_its_own_rows(place: Place):
    """The candidate learned from two years, of which the second holds evaluation rows; the champion from either."""
    place.frames["1999"] = year("1998").head(ROWS // 2)
    shares = [
        place.found(place.pin(one), trained_on=("1997", "1999"))["champion_seen_rows"].value for one in ("1997", "1999")
    ]
    assert shares == [0, 0.5]
    assert place.reads == 3


def test_without_a_champion_nothing_is_measured(place: Place):
    """And the rule is excused, as all that compare with it."""
    assert place.found(None) == {}


def test_data_that_are_gone_are_no_proof(place: Place):
    """Without the bytes of one year nobody knows: no value, which does not pass."""
    champion = place.pin("1997", "1999")
    for key in [key for key in place.store.objects if champion.files[1].artifact.sha256 in key]:
        del place.store.objects[key]
    found = place.found(champion)
    assert {m.value for m in found.values()} == {None}
    assert "not compared with the champion's training data" in found["champion_seen_rows"].note
    assert status(found) is Status.INCONCLUSIVE


def test_a_key_that_was_written_otherwise_is_no_proof(place: Place):
    """The champion's cases were text: none would equal a number, whatever it saw."""
    place.frames["1999"] = year("1999").astype({"case": str})
    found = place.found(place.pin("1999"))
    assert found["champion_seen_rows"].value is None
    assert status(found) is Status.INCONCLUSIVE
