"""How long a policy is tried on past releases: read from a real store, judged again, and read from a file.

Each release has about 600 measurements in seven stages and five entries in the ledger, as those of ``crash_triage``.
"""

import argparse
import json
import random
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gatewright.core.backtest import backtest
from gatewright.core.decision import decide
from gatewright.core.judging import judge
from gatewright.core.ledger import LedgerEntry, LedgerKind
from gatewright.core.measured_release import MeasuredReleases
from gatewright.core.policy import Policy, Rule
from gatewright.core.records import canonical_json, sha256_hex
from gatewright.core.refs import ArtifactRef
from gatewright.core.releases import Champion, EvidenceRoot, Opening
from gatewright.core.results import Interval, Measurement, StageEvidence
from gatewright.core.strict_yaml import parse_yaml
from gatewright.core.tiers import Facts
from gatewright.services.blobs import BlobStore
from gatewright.services.embedded_store import EmbeddedStore
from gatewright.services.generations import FIRST_PREVIOUS
from gatewright.services.measured_releases import PastReleases, write_measured
from gatewright.services.store import S3Store

__all__ = ["main", "measure"]

MODEL = "crash_triage"
POLICY = Path(__file__).parent.parent / "policies" / f"{MODEL}.yaml"
BEGAN = datetime(2020, 1, 1, tzinfo=UTC)
DIGEST = "0" * 64
# Measurements of a release of the example, by stage.
COUNTS = {"validate": 8, "leakage": 28, "evaluate": 45, "slices": 284, "uncertainty": 36, "robustness": 41,
          "fairness": 75, "drift": 70}  # fmt: skip
EVENTS: tuple[LedgerKind, ...] = ("opened", "decided", "waiting", "approved", "deployed")
BUCKET = "gatewright-benchmark"


def measure(count: int) -> dict[str, Any]:
    """Seconds on the clock and of this process's processor, and the size of the exported file in megabytes."""
    policy = parse_yaml(POLICY.read_text(), Policy, where=str(POLICY))
    with tempfile.TemporaryDirectory() as folder, EmbeddedStore(Path(folder) / "store", stop_seconds=0) as weed:
        store = S3Store(weed.location(BUCKET))
        store.ensure_bucket()
        _fill(store, policy, count)
        past = PastReleases(store, BlobStore(store, Path(folder) / "cache"), "production")
        read, measured = _timed(lambda: past.of(MODEL))
        judged, found = _timed(lambda: backtest(_stricter(policy), measured.releases, against=policy))
        file = Path(folder) / "evidence.json"
        write_measured(measured, file)
        loaded, again = _timed(lambda: MeasuredReleases.from_file(file.read_bytes(), where="file"))
        assert again == measured
        assert len(found.rejudged) == count
        return {
            "releases": count,
            "measurements": sum(len(list(release.pairs())) for release in measured.releases),
            "flips": len(found.flips),
            "read": read,
            "judge": judged,
            "file": loaded,
            "file_mb": file.stat().st_size / 1e6,
        }


def _timed(call: Any) -> tuple[dict[str, float], Any]:
    clock, cpu = time.perf_counter(), time.process_time()
    result = call()
    return {"seconds": round(time.perf_counter() - clock, 2), "cpu": round(time.process_time() - cpu, 2)}, result


def _stricter(policy: Policy) -> Policy:
    rules = [r.model_copy(update={"minimum": 0.83}) if r.id == "auc-floor" else r for r in policy.rules]
    return policy.model_copy(update={"rules": tuple(rules)})


def _fill(store: S3Store, policy: Policy, count: int) -> None:
    """All objects at once: what is timed is only how they are read."""
    objects = dict(_objects(policy, count))
    with ThreadPoolExecutor(16) as writers:
        written = writers.map(lambda item: store.create(*item, "application/json"), objects.items())
        assert all(written)


def _objects(policy: Policy, count: int) -> Iterator[tuple[str, bytes]]:
    body = policy.to_bytes()
    yield f"blobs/sha256/{policy.digest[:2]}/{policy.digest}", body
    pinned = ArtifactRef(sha256=policy.digest, size=len(body), media_type="application/json")
    previous, n = FIRST_PREVIOUS, 0
    for number in range(count):
        release_id, at = f"{MODEL}-{number}", BEGAN + timedelta(days=number)
        root, records = _release(policy, pinned, release_id, at)
        yield from ((f"releases/{release_id}/{name}.json", found) for name, found in records.items())
        for kind in EVENTS:
            n += 1
            entry = LedgerEntry(kind=kind, release_id=release_id, actor="benchmark", at=at, digests={"evidence": root})
            link = {"n": n, "previous_sha256": previous, "nonce": f"{n:032x}", "payload": entry.model_dump(mode="json")}
            yield f"ledger/{MODEL}/{n:010d}.json", canonical_json(link)
            previous = sha256_hex(canonical_json(link))


def _release(policy: Policy, pinned: ArtifactRef, release_id: str, at: datetime) -> tuple[str, dict[str, bytes]]:
    stages = {name: _stage(policy, name, release_id, at) for name in COUNTS}
    pairs = [(name, m) for name, stage in stages.items() for m in stage.measurements]
    facts = Facts(sensitive_domain=False, personal_data=False, first_release=False, policy_changed=False,
                  score_shift=0.01, fairness_movement=0.0, warnings=0)  # fmt: skip
    results = judge(policy, pairs, has_champion=True)
    decision = decide(policy, results, policy_sha256=policy.digest, has_champion=True, facts=facts)
    records = {"opening": _opening(pinned, release_id, at), "decision": decision, **stages}
    bodies = {name: record.to_bytes() for name, record in records.items()}
    digests = {name: sha256_hex(body) for name, body in bodies.items()}
    root = EvidenceRoot(release_id=release_id, records=digests, model_sha256=DIGEST)
    return root.digest, {**bodies, "root": root.to_bytes()}


def _opening(pinned: ArtifactRef, release_id: str, at: datetime) -> Opening:
    return Opening(
        release_id=release_id,
        model=MODEL,
        period="2026",
        features=("speed",),
        spec=pinned,
        policy=pinned,
        roster=pinned,
        channel_generation=1,
        champion=Champion(release_id="before", model_sha256=DIGEST),
        code_revision=DIGEST[:40],
        environment_sha256=DIGEST,
        requested_by="benchmark",
        flow_run="benchmark",
        opened_at=at,
        expires_at=at + timedelta(hours=12),
    )


def _stage(policy: Policy, name: str, release_id: str, at: datetime) -> StageEvidence:
    asked = [m for rule in policy.rules if rule.stage == name for m in _answers(rule)]
    more = [_measured(f"other_{i}", "all", 0.5) for i in range(COUNTS[name] - len(asked))]
    return StageEvidence(
        release_id=release_id, stage=name, started_at=at, finished_at=at, inputs={}, measurements=(*asked, *more)
    )


def _answers(rule: Rule) -> list[Measurement]:
    """Values that pass most of the time, as those of models that people think worth a release."""
    low, high = rule.allowed
    inside = (low if low is not None else high or 0.0) + (0.06 if high is None else -0.06) * random.uniform(0.2, 2)
    if rule.decide_on == "value":
        inside = low if low is not None else high or 0.0
    slices = [f"slice-{i}" for i in range(8)] if rule.slices == "each" else [rule.slices]
    return [_measured(rule.measured_as, one, inside) for one in slices]


def _measured(metric: str, slice_name: str, value: float) -> Measurement:
    interval = Interval(low=value - 0.02, high=value + 0.02, confidence=0.9, method="block bootstrap, at least Wilson")
    return Measurement(metric=metric, slice=slice_name, value=value, interval=interval, n=4200)


def main() -> None:
    """Print one line a number of releases, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--releases", type=int, nargs="+", default=[200])
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    random.seed(0)
    rows = [measure(count) for count in arguments.releases]
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return
    print("| releases | measurements | read from the store | judged twice | read from a file | flips |")
    print("|---:|---:|---:|---:|---:|---:|")
    for row in rows:
        times = " | ".join(f"{row[name]['seconds']} s ({row[name]['cpu']} s CPU)" for name in ("read", "judge", "file"))
        print(f"| {row['releases']} | {row['measurements']:,} | {times}, {row['file_mb']:.0f} MB | {row['flips']} |")


if __name__ == "__main__":
    main()
