"""Who may sign: what we write for ssh-keygen is what the shell makes of the same roster."""

from datetime import UTC, date, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gatewright.core.roster import Machine, Person, PublicKey, Roster
from gatewright.core.signatures import APPROVAL, SEAL
from gatewright.services.export.pages import functions
from gatewright.services.export.signers import allowed_signers
from gatewright.services.ssh_signatures import SshSigner, armored, new_key
from tests.services.export.shell import shell

JOINED = date(2026, 1, 10)
DAYS = st.dates(date(2025, 12, 1), date(2026, 3, 1))
TIMES = st.datetimes(datetime(2025, 12, 1), datetime(2026, 3, 1), timezones=st.just(UTC))


def key_of(number: int, added: date = JOINED, revoked: datetime | None = None) -> PublicKey:
    return PublicKey(key=f"ssh-ed25519 {number:A>60}", added=added, revoked=revoked)


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    keys = (key_of(number, draw(DAYS), draw(st.none() | TIMES)) for number in range(1000))
    people = [
        Person(
            id=f"p{number}.x-y",
            name=draw(st.text(min_size=1) | st.just('","roles":["owner"],"id":"')),
            roles=("a", "b"),
            joined=draw(DAYS),
            left=draw(st.none() | DAYS),
            keys=tuple(next(keys) for _ in range(draw(st.integers(0, 3)))),
        )
        for number in range(draw(st.integers(1, 4)))
    ]
    machines = [Machine(id=role, role=role, keys=(next(keys), next(keys))) for role in ("gateway", "pipeline")]
    return Roster(version=1, people=tuple(people), machines=tuple(machines))


def test_the_shell_makes_the_same_lines(tools: Path, tmp_path: Path) -> None:
    """Whatever the names, and whenever people joined and left and keys were added and revoked."""
    found: list[Roster] = []

    @settings(max_examples=80, database=None)
    @given(roster=rosters())
    def some(roster: Roster) -> None:
        found.append(roster)

    some()
    for number, roster in enumerate(found):
        (tmp_path / f"{number}.json").write_bytes(roster.to_bytes())
        (tmp_path / f"{number}.signers").write_text(allowed_signers(roster))
    compare = f"n=0; while [ $n -lt {len(found)} ]; do signers < $n.json | diff - $n.signers; n=$((n + 1)); done"
    done = shell(tools, tmp_path, script=f"{functions()}\n{compare}\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_key_counts_for_its_purpose_and_in_its_time(tools: Path, tmp_path: Path) -> None:
    """From the day it was added, and its owner joined, to the second it was revoked; as a person's, not a machine's."""
    key = new_key(tmp_path / "dana", "dana")
    revoked = datetime(2026, 2, 1, 12, 0, 0, tzinfo=UTC)
    listed = PublicKey(key=key, added=date(2026, 1, 5), revoked=revoked)
    dana = Person(id="dana", name="Dana", roles=("a",), joined=JOINED, keys=(listed,))
    gone = Person(id="gone", name="Gone", roles=("a",), joined=JOINED, left=date(2026, 1, 20), keys=(key_of(1),))
    (tmp_path / "signers").write_text(allowed_signers(Roster(version=1, people=(dana, gone))))
    (tmp_path / "said").write_text("yes")
    signer = SshSigner(tmp_path / "dana")
    for purpose in (APPROVAL, SEAL):
        (tmp_path / f"{purpose}.sig").write_text(armored(signer.sign(b"yes", namespace=purpose)))

    def counts(at: str, purpose: str = APPROVAL, who: str = "dana") -> bool:
        command = f"signed signers {who} {purpose} {at} said {purpose}.sig"
        return shell(tools, tmp_path, script=f"{functions()}\n{command}\n").returncode == 0

    assert [counts(at) for at in ("2026-01-09T23:59:59Z", "2026-01-10T00:00:00Z")] == [False, True]
    assert [counts(at) for at in ("2026-02-01T12:00:00.5Z", "2026-02-01T12:00:01Z")] == [True, False]
    assert not counts("2026-01-15T00:00:00Z", purpose=SEAL)
    assert not counts("2026-01-15T00:00:00Z", who="gone")
