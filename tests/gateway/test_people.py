"""The credential file, and how often somebody may be wrong."""

import asyncio
import base64
import hashlib
import os
from pathlib import Path

import pytest
from starlette.datastructures import Headers

from deployments.gateway.attempts import LONGEST_SECONDS, Attempts
from deployments.gateway.logins import REMEMBER_SECONDS, Logins
from deployments.gateway.people import PeopleFile, SecretHash
from deployments.gateway.refusals import RefusalError
from gatewright.core.errors import SpecError

SECRET = "correct horse battery"
HASH = str(SecretHash.of(SECRET))


def file_of(folder: Path, text: str) -> Path:
    path = folder / "people.yaml"
    path.write_text(text)
    path.chmod(0o600)
    return path


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def logins(tmp_path: Path, clock: Clock) -> Logins:
    return Logins(PeopleFile(file_of(tmp_path, f"dana.reyes: {HASH}\n")), "s" * 24, clock=clock)


def who(logins: Logins, credential: str) -> str | None:
    caller = asyncio.run(logins.holder(credential))
    return caller.name if caller else None


def test_scrypt_gives_the_published_vector() -> None:
    """RFC 7914 section 12, the vector with N = 16384, r = 8, p = 1, written in this file's form."""
    key = bytes.fromhex(
        "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
        "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
    )
    assert SecretHash(16384, 8, 1, b"SodiumChloride", key).matches("pleaseletmein")
    assert not SecretHash(16384, 8, 1, b"SodiumChloride", key).matches("pleaseletmeim")


def test_each_hash_has_a_salt_of_its_own() -> None:
    """Two people with one secret cannot be told from the file."""
    assert str(SecretHash.of(SECRET)) != HASH
    assert SecretHash.parse(HASH).matches(SECRET)
    assert not SecretHash.parse(HASH).matches(SECRET + " ")


@pytest.mark.parametrize(
    ("n", "r", "p", "salt", "key"),
    [
        (2**13, 8, 1, 16, 32),
        (2**14 + 1, 8, 1, 16, 32),
        (2**14, 1, 1, 16, 32),
        (2**20, 8, 1, 16, 32),
        (2**14, 8, 0, 16, 32),
        (2**14, 8, 1, 8, 32),
        (2**14, 8, 1, 16, 16),
    ],
)
def test_a_hash_that_is_too_cheap_or_too_dear_is_refused(n: int, r: int, p: int, salt: int, key: int) -> None:
    """A weak line protects nobody; a line that takes a gigabyte stops the gateway."""
    parts = (base64.b64encode(bytes(length)).decode() for length in (salt, key))
    with pytest.raises(ValueError, match="needs"):
        SecretHash.parse("$".join(("scrypt", str(n), str(r), str(p), *parts)))


@pytest.mark.parametrize(
    "text",
    [
        "dana.reyes: correct horse battery\n",
        f"dana.reyes: {hashlib.sha256(b'x').hexdigest()}\n",
        f"dana.reyes: {HASH}\ndana.reyes: {HASH}\n",
        f"Dana Reyes: {HASH}\n",
        f"service: {HASH}\n",
        f"- {HASH}\n",
        "",
    ],
    # The salt is another one on each worker, and a name of a test must not be.
    ids=["plain text", "digest", "one name twice", "no roster id", "the service", "no names", "nothing"],
)
def test_a_credential_file_with_anything_else_lets_nobody_in(tmp_path: Path, text: str) -> None:
    """Plain secrets, other hashes, duplicates, odd names, the service's own name."""
    with pytest.raises(SpecError):
        PeopleFile(file_of(tmp_path, text)).current()


def test_a_credential_file_that_others_may_write_lets_nobody_in(tmp_path: Path) -> None:
    """Whoever could add a line would be anybody."""
    path = file_of(tmp_path, f"dana.reyes: {HASH}\n")
    path.chmod(0o666)
    with pytest.raises(SpecError, match="others may write"):
        PeopleFile(path).current()


def test_a_person_is_known_by_their_secret_and_by_nothing_else(logins: Logins) -> None:
    """Wrong, empty, missing, somebody else's name, a name in another case."""
    assert who(logins, f"dana.reyes:{SECRET}") == "dana.reyes"
    assert who(logins, f" dana.reyes:{SECRET}\n") == "dana.reyes"
    for wrong in ("dana.reyes:wrong", "dana.reyes:", "dana.reyes", "", f":{SECRET}", f"Dana.Reyes:{SECRET}"):
        assert who(logins, wrong) is None


def test_the_service_is_known_by_its_own_secret(logins: Logins) -> None:
    """And no person's secret makes anybody the service."""
    assert who(logins, "service:" + "s" * 24) == "service"
    assert who(logins, f"service:{SECRET}") is None


def test_a_header_that_says_two_things_says_nothing(logins: Logins) -> None:
    """Two Authorization headers could be read differently before and behind."""
    basic = "Basic " + base64.b64encode(f"dana.reyes:{SECRET}".encode()).decode()
    for values, known in (([basic], True), ([basic] * 2, False), ([basic.replace("Basic", "Bearer")], False)):
        headers = Headers(raw=[(b"authorization", value.encode()) for value in values])
        assert (asyncio.run(logins.who(headers, "")) is not None) is known


def test_a_secret_that_was_right_is_not_hashed_again_for_some_minutes(
    logins: Logins, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page of the UI asks twenty times; each scrypt would cost 50 ms."""
    hashed: list[str] = []
    compare = SecretHash.matches
    monkeypatch.setattr(SecretHash, "matches", lambda self, secret: hashed.append(secret) or compare(self, secret))

    async def at_once() -> None:
        found = await asyncio.gather(*(logins.holder(f"dana.reyes:{SECRET}") for _ in range(20)))
        assert all(found)

    asyncio.run(at_once())
    assert len(hashed) == 1
    clock.now += REMEMBER_SECONDS + 1
    assert who(logins, f"dana.reyes:{SECRET}") == "dana.reyes"
    assert len(hashed) == 2


def test_a_secret_that_is_taken_away_counts_no_more_at_once(logins: Logins, tmp_path: Path) -> None:
    """What was remembered belongs to the file as it was."""
    assert who(logins, f"dana.reyes:{SECRET}") == "dana.reyes"
    file_of(tmp_path, f"kim.larsen: {HASH}\n")
    assert who(logins, f"dana.reyes:{SECRET}") is None


def test_who_tries_secrets_of_one_name_must_wait_longer_and_longer(logins: Logins, clock: Clock) -> None:
    """Five wrong ones cost nothing; while a name is slowed down even the right secret is not looked at."""
    for number in range(5):
        assert who(logins, f"dana.reyes:wrong {number}") is None
    for number, seconds in enumerate((1, 2, 4)):
        for secret in (f"again {number}", SECRET):
            with pytest.raises(RefusalError) as slowed:
                who(logins, f"dana.reyes:{secret}")
            assert (slowed.value.status, slowed.value.wait) == (429, seconds)
        clock.now += seconds
        assert who(logins, f"dana.reyes:again {number}") is None
    clock.now += 8
    assert who(logins, f"dana.reyes:{SECRET}") == "dana.reyes"
    assert who(logins, "dana.reyes:wrong once more") is None


def test_names_that_nobody_has_share_one_count(logins: Logins) -> None:
    """Made-up names take neither memory nor more than one turn; a known name is not slowed down by them."""
    for number in range(5):
        assert who(logins, f"stranger.{number}:wrong") is None
    with pytest.raises(RefusalError):
        who(logins, "stranger.6:wrong")
    assert who(logins, f"dana.reyes:{SECRET}") == "dana.reyes"


def test_a_stale_browser_does_not_lock_its_owner_out(logins: Logins) -> None:
    """The same wrong secret again is the same mistake, not another guess."""
    for _ in range(50):
        assert who(logins, "dana.reyes:last year's secret") is None
    assert who(logins, f"dana.reyes:{SECRET}") == "dana.reyes"


def test_the_longest_wait_is_five_minutes(clock: Clock) -> None:
    """Nobody can lock a colleague out for longer than that."""
    attempts = Attempts(clock)
    for _ in range(2000):
        attempts.failed("dana.reyes")
    assert attempts.wait("dana.reyes") == LONGEST_SECONDS


def test_the_command_prints_a_line_that_the_gateway_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And refuses a secret that is too short."""
    from deployments.gateway.__main__ import _line

    for secret, fine in ((SECRET, True), ("short", False)):
        reader, writer = os.pipe()
        os.write(writer, f"{secret}\n".encode())
        os.close(writer)
        with os.fdopen(reader) as typed:
            monkeypatch.setattr("sys.stdin", typed)
            if not fine:
                with pytest.raises(SpecError):
                    _line("kim.larsen")
                continue
            _, people = PeopleFile(file_of(tmp_path, _line("kim.larsen") + "\n")).current()
            assert people["kim.larsen"].matches(SECRET)
