"""What a bundle proves, step by step, and by which commands. Nothing is asked for that a release never came to."""

from collections.abc import Callable
from dataclasses import dataclass

from gatewright.core.break_glass import Emergency
from gatewright.core.channels import ChannelEntry
from gatewright.core.checkpoints import Checkpoint
from gatewright.core.records import sha256_hex
from gatewright.core.statements import Approval
from gatewright.services.export.bundle import Bundle, place_of
from gatewright.services.reports.escape import plain

__all__ = ["Step", "steps_of"]

_COMMANDS = {"signed": "approved", "gateway": "stamped", "declared": "declared"}
_SAID = {
    "signed": "signed on {}",
    "gateway": "was logged in at the gateway on {}",
    "declared": "was typed into a form on {}: not proven",
}


@dataclass(frozen=True)
class Step:
    """One thing that is proven: in which words, by which commands, and what they print when it holds."""

    title: str
    why: str
    commands: tuple[str, ...]
    prints: tuple[str, ...]


def steps_of(bundle: Bundle) -> list[Step]:
    """The steps for exactly this release, each resting on those before it."""
    makers: tuple[Callable[[Bundle], Step | None], ...] = (
        _files,
        _chains,
        _signers,
        _governed,
        _evidence,
        _pinned,
        _decision,
        _waivers,
        _approvals,
        _promotion,
        _seals,
        _rollbacks,
        _served,
        _checkpoints,
        _blobs,
    )
    return [step for step in (make(bundle) for make in makers) if step is not None]


def _files(bundle: Bundle) -> Step:
    return Step(
        "The files are those that were exported",
        "Damage on the way is found. It proves nothing about who wrote them: the list lies beside them.",
        ("files",),
        # VERIFY.md and verify.sh are not made yet.
        (f"{len(bundle.files) + 2} files",),
    )


def _chains(bundle: Bundle) -> Step:
    folders = [name for name in ("ledger", "channel", "governance/roster", "governance/policy") if bundle.paths(name)]
    return Step(
        "Nothing was edited, removed or put in between",
        "Each file names the SHA-256 of the one before it. That an end was cut off, or all of it written anew, is seen "
        "by the checkpoints and by what people have signed (below).",
        tuple(f"chain {folder}" for folder in folders),
        tuple(_chain_line(bundle, folder) for folder in folders),
    )


def _chain_line(bundle: Bundle, folder: str) -> str:
    paths = bundle.paths(folder)
    return f"{folder}: {len(paths)} files, the last is {sha256_hex(bundle.files[paths[-1]])}"


def _signers(bundle: Bundle) -> Step | None:
    if not bundle.rosters:
        return None
    return Step(
        "Who may sign is what the rosters say",
        "`allowed_signers` is made again from `roster.json`, and `allowed_signers-N` from version N of the roster.",
        ("signers_match",),
        (f"{len(bundle.rosters) + 1} files of signers are what the rosters say",),
    )


def _governed(bundle: Bundle) -> Step | None:
    if not (bundle.rosters and bundle.policies):
        return None
    prints = [
        f"{kind} {version.n}: {version.sha256}, signed by {len(version.entry.signatures)}"
        for kind, versions in (("roster", bundle.rosters), ("policy", bundle.policies))
        for version in versions
    ]
    return Step(
        "Roster and policy were changed only by those whom they name",
        "Each version is signed by a quorum of the owners that the version before it names; the first by its own. "
        "**The first roster is where trust begins: compare its digest with one that you know from elsewhere.**",
        ("governed roster", "governed policy"),
        tuple(prints),
    )


def _evidence(bundle: Bundle) -> Step | None:
    if bundle.root is None or bundle.candidate is None:
        return None
    names = " ".join(sorted(bundle.root.records))
    return Step(
        "The evidence is what the ledger says was decided on",
        "The root is the SHA-256 of a list of all records, made again here from the records themselves.",
        (f"evidence {names}", "in_ledger"),
        (f"model {bundle.candidate.artifact.sha256}", f"evidence {bundle.root.digest}", "opened and decided"),
    )


def _pinned(bundle: Bundle) -> Step | None:
    request = bundle.request
    if request is None or not (bundle.rosters and bundle.policies):
        return None
    opening = bundle.opening
    policy = next((one.n for one in bundle.policies if one.sha256 == opening.policy.sha256), 0)
    roster = next((one.n for one in bundle.rosters if one.sha256 == opening.roster.sha256), 0)
    shown = request.model_dump(mode="json")
    return Step(
        "People were asked about exactly this, under the policy of that time",
        "The request binds model, evidence, policy, roster, champion, a nonce, and the ledger up to that moment.",
        ("asked", "pinned policy", "pinned roster"),
        (
            f"asked on {shown['asked_at']}, until {shown['expires_at']}",
            f"policy {policy} was in force",
            f"roster {roster} was in force",
        ),
    )


def _decision(bundle: Bundle) -> Step | None:
    if bundle.request is None or bundle.decision is None:
        return None
    tier = bundle.request.tier
    return Step(
        "The decision is by that policy, and names who must approve",
        "`evidence/decision.json` holds every rule with its result. That the rules were applied rightly is computed "
        "again by `gatewright verify`, not by these commands.",
        ("decided",),
        (f"{bundle.decision.outcome}: tier {tier.name}, assurance {tier.assurance}",),
    )


def _waivers(bundle: Bundle) -> Step | None:
    if not bundle.waivers:
        return None
    said = [waiver.statement.model_dump(mode="json") for waiver in bundle.waivers]
    return Step(
        "Which rules were waived, by whom",
        "Somebody whose role the policy names has signed for each, with a reason and an end: see `waivers/`.",
        ("waivers",),
        tuple(plain(f"{one['rule']} was waived by {one['principal']} until {one['expires']}") for one in said),
    )


def _approvals(bundle: Bundle) -> Step | None:
    request = bundle.request
    if request is None:
        return None
    given = {n: one for n, one in bundle.approvals.items() if one.decision == "approve"}
    commands = [f"{_COMMANDS[one.assurance]} {n} {one.principal}" for n, one in given.items()]
    prints = [plain(f"{one.principal} ({one.role}) {_SAID[one.assurance].format(_at(one))}") for one in given.values()]
    commands += [f"emergency {n} {one.principal}" for n, one in bundle.emergencies.items()]
    prints += [plain(_broke_glass(one)) for one in bundle.emergencies.values()]
    if bundle.confirmed and not bundle.emergencies:
        people = [one.principal for one in given.values()]
        commands.append(" ".join(["quorum", *people]))
        prints.append(f"{len(set(people))} of {request.tier.approvals} people asked for")
    if not commands:
        return None
    return Step(
        "Who approved it, and why",
        "Each statement repeats what was asked, and is signed with a key that the roster names: the one pinned when "
        "the release opened, and the one in force when it was answered. The reasons stand in `approvals/`.",
        tuple(commands),
        tuple(prints),
    )


def _broke_glass(one: Emergency) -> str:
    said = one.model_dump(mode="json")
    return f"{one.principal} ({one.role}) broke the glass on {said['at']}, until {said['expires']}"


def _promotion(bundle: Bundle) -> Step | None:
    if bundle.confirmed is None or bundle.request is None:
        return None
    return Step(
        "What was put into production is what was approved",
        "The channel moved once for this release, to this model, within the window, from the champion it was compared "
        "with; and the service reported that it serves it.",
        ("promoted",),
        (f"confirmed on {_at(bundle.confirmed)}",),
    )


def _seals(bundle: Bundle) -> Step | None:
    if not bundle.moves or any(move.seal is None for move in bundle.moves):
        return None
    return Step(
        "The pipeline made every move of the channel",
        "A move that somebody wrote into the store has no seal by the pipeline's key.",
        ('for file in channel/*.json; do sealed "$file"; done', f"echo '{len(bundle.moves)} seals'"),
        (f"{len(bundle.moves)} seals",),
    )


def _rollbacks(bundle: Bundle) -> Step | None:
    if not (bundle.rollbacks and bundle.policies and bundle.rosters):
        return None
    made = bundle.rollbacks.items()
    return Step(
        "Who took a model back, and why",
        "Each rollback of the channel that was recorded is by somebody whom the policy of that moment names, as surely "
        "known as it asks, over exactly this move; the ledger names the record. The reasons stand in `rollbacks/`.",
        tuple(f"taken_back {n} {one.principal} {one.assurance}" for n, one in made),
        tuple(
            plain(f"{one.principal} ({one.role}) {_SAID[one.assurance].format(_at(bundle.moves[n - 1]))}")
            for n, one in made
        ),
    )


def _served(bundle: Bundle) -> Step | None:
    if not bundle.moves:
        return None
    settled = [move for move in bundle.moves if move.action in ("confirm", "revert")]
    return Step(
        "What served from when on",
        "Time, release and SHA-256 of the model, since the beginning. Compare the last one with what serves.",
        ("served",),
        tuple(plain(f"{_at(move)} {move.release_id} {move.model_sha256 or 'null'}") for move in settled),
    )


def _checkpoints(bundle: Bundle) -> Step | None:
    if not bundle.checkpoints:
        return None
    return Step(
        "The chains are those that were signed for",
        "A checkpoint says how long a chain was and where it ended; the pipeline signed it, and it was kept away from "
        "the store. Your own copy counts for more than these: `sh verify.sh MY-CHECKPOINT.json`.",
        tuple(f"checkpoint {path}" for path in bundle.checkpoints),
        tuple(
            f"{place_of(one.log)}: as it was on {_at(one)} with {one.size} entries"
            for one in bundle.checkpoints.values()
        ),
    )


def _blobs(bundle: Bundle) -> Step | None:
    paths = bundle.paths("blobs")
    if not paths or bundle.root is None:
        return None
    names = " ".join(sorted(bundle.root.records))
    return Step(
        "The model and the data are there",
        "Each file is named by its SHA-256; the records name these files.",
        (f"blobs {names}", "sha256sum -c model.sha256 > /dev/null"),
        (f"{len(paths)} files",),
    )


def _at(record: ChannelEntry | Approval | Checkpoint) -> str:
    """The time as it stands in the record's JSON."""
    said: str = record.model_dump(mode="json")["at"]
    return said
