"""The real store behind a network that loses replies, and stores that are down or refuse."""

import socket
import threading
import time
from collections.abc import Iterator
from itertools import product

import pytest
from pydantic import SecretStr

from gatewright.core.errors import GatewrightError, IntegrityError, NotFoundError, StoreError
from gatewright.services.generations import GenerationLog
from gatewright.services.store import S3Location, S3Store
from tests.services.fault_proxy import Fault, FaultProxy, fault_proxy

ANSWERS = (400, 409, 412, 429, 500, 503, "reset")
FAULTS = [Fault(answer, applied) for answer, applied in product(ANSWERS, (True, False))]  # type: ignore[arg-type]


@pytest.fixture
def proxy(s3_location: S3Location) -> Iterator[FaultProxy]:
    """A faulty network in front of the real store."""
    assert s3_location.endpoint_url is not None
    with fault_proxy(s3_location.endpoint_url.removeprefix("http://")) as running:
        yield running


@pytest.fixture
def behind(proxy: FaultProxy, s3_location: S3Location) -> S3Store:
    """The real store as seen over the faulty network."""
    return S3Store(s3_location.model_copy(update={"endpoint_url": proxy.endpoint_url, "patience_seconds": 4.0}))


@pytest.fixture
def impatient(behind: S3Store) -> S3Store:
    """The same, given up sooner."""
    return S3Store(behind.location.model_copy(update={"patience_seconds": 1.0}))


def test_an_ambiguous_answer_ends_in_exactly_one_generation(
    proxy: FaultProxy, behind: S3Store, s3_store: S3Store
) -> None:
    """Whether or not the write took effect before the answer went wrong, and when it goes wrong twice."""
    log = GenerationLog(behind, "log")
    appended = []
    for n, fault in enumerate(FAULTS):
        proxy.plan("PUT", fault, fault)
        appended.append(log.append({"fault": str(fault)}, expected=n))
    assert GenerationLog(s3_store, "log").all() == appended


@pytest.mark.parametrize("applied", [True, False])
def test_a_reply_that_never_comes_ends_in_exactly_one_generation(
    proxy: FaultProxy, behind: S3Store, s3_store: S3Store, applied: bool
) -> None:
    """The write is given up after its time-out, then read back and, if it is absent, sent again."""
    proxy.plan("PUT", Fault("silence", applied))
    appended = GenerationLog(behind, "log").append({}, expected=0)
    assert GenerationLog(s3_store, "log").all() == [appended]


def test_an_ambiguous_answer_to_the_loser_of_a_race_is_a_loss(
    proxy: FaultProxy, behind: S3Store, s3_store: S3Store
) -> None:
    """A rival's bytes are not mistaken for ours."""
    s3_store.create("k", b"rival", "text/plain")
    for fault in FAULTS:
        proxy.plan("PUT", fault)
        assert not behind.create("k", b"ours", "text/plain"), fault
    assert s3_store.get("k") == b"rival"


def test_a_write_is_sent_once_when_it_is_answered(proxy: FaultProxy, behind: S3Store) -> None:
    """boto3's own retries are off: they would report our own write as somebody else's."""
    assert behind.create("k", b"", "text/plain")
    assert proxy.asked.count("PUT") == 1


def test_reads_are_repeated_while_the_store_restarts(proxy: FaultProxy, behind: S3Store) -> None:
    """After a restart SeaweedFS answers 500 for a second or two."""
    behind.create("k", b"body", "text/plain")
    proxy.plan("GET", Fault(500, False), Fault("reset", False), Fault(503, True))
    assert behind.get("k") == b"body"
    proxy.plan("HEAD", Fault(500, False))
    assert behind.exists("k")
    proxy.plan("GET", Fault(503, False))
    assert list(behind.keys("")) == ["k"]


def test_a_write_whose_fate_stays_unknown_says_so(proxy: FaultProxy, impatient: S3Store) -> None:
    """The error names endpoint, bucket and key, and that the object may still appear."""
    proxy.plan("PUT", *[Fault(503, False)] * 50)
    with pytest.raises(StoreError, match="may still appear") as caught:
        impatient.create("k", b"", "text/plain")
    assert caught.value.where == f"{proxy.endpoint_url}/gatewright-tests/{impatient.location.prefix}/k"
    assert "503" in caught.value.problem


def test_a_write_that_cannot_be_read_back_says_that_its_fate_is_unknown(proxy: FaultProxy, impatient: S3Store) -> None:
    """The store went down between the write and the reading back."""
    proxy.plan("PUT", Fault("reset", True))
    proxy.plan("GET", *[Fault("reset", False)] * 50)
    with pytest.raises(StoreError, match="may still appear"):
        impatient.create("k", b"", "text/plain")


def test_a_busy_store_is_not_mistaken_for_an_empty_one(proxy: FaultProxy, impatient: S3Store) -> None:
    """Only the store's own word that there is no such object counts as absence."""
    proxy.plan("GET", *[Fault(503, False)] * 50)
    with pytest.raises(StoreError, match="503") as caught:
        impatient.get("missing")
    assert not isinstance(caught.value, NotFoundError)


def test_a_server_that_is_no_object_store_is_not_mistaken_for_an_empty_one(
    proxy: FaultProxy, impatient: S3Store
) -> None:
    """A plain 404, as from a wrong endpoint, is an error; also for a HEAD, which has no body to tell."""
    proxy.plan("GET", *[Fault(404, False)] * 2)
    proxy.plan("HEAD", Fault(404, False))
    for operation in (impatient.get, impatient.exists):
        with pytest.raises(StoreError, match="404") as caught:
            operation("missing")
        assert not isinstance(caught.value, NotFoundError)


def test_a_missing_bucket_is_not_mistaken_for_a_missing_object(s3_location: S3Location) -> None:
    """By every operation; the remedy is to create it."""
    store = S3Store(s3_location.model_copy(update={"bucket": "no-such-bucket"}))
    operations = (store.get, store.exists, store.keys, lambda key: store.create(key, b"", "text/plain"))
    for operation in operations:
        with pytest.raises(StoreError, match="NoSuchBucket") as caught:
            operation("k")
        assert not isinstance(caught.value, NotFoundError)
        assert "create the bucket" in caught.value.remedy


def test_a_store_that_is_down_gives_one_clear_error(free_port: int) -> None:
    """Within its patience; it names the endpoint and what to do."""
    location = S3Location(
        endpoint_url=f"http://127.0.0.1:{free_port}",
        bucket="bucket",
        access_key_id="id",
        secret_access_key=SecretStr("hunter2"),
        patience_seconds=0.6,
    )
    store = S3Store(location)
    started = time.monotonic()
    for operation in (store.get, store.exists, store.keys, lambda key: store.create(key, b"", "text/plain")):
        with pytest.raises(StoreError, match=f"http://127.0.0.1:{free_port}/bucket.* does not answer") as caught:
            operation("k")
        assert "start the store" in caught.value.remedy
        assert "hunter2" not in str(caught.value)
    with pytest.raises(StoreError, match="does not answer"):
        store.ensure_bucket()
    assert time.monotonic() - started < 15


def test_a_store_that_accepts_and_never_answers_gives_one_clear_error() -> None:
    """A hung server costs no more than the patience and one time-out."""
    with socket.create_server(("127.0.0.1", 0)) as hung:
        url = f"http://127.0.0.1:{hung.getsockname()[1]}"
        location = S3Location(
            endpoint_url=url,
            bucket="bucket",
            access_key_id="id",
            secret_access_key=SecretStr("secret"),
            patience_seconds=0.6,
        )
        started = time.monotonic()
        with pytest.raises(StoreError, match="does not answer"):
            S3Store(location).create("k", b"", "text/plain")
        assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "wrong", [{"secret_access_key": SecretStr("hunter2")}, {"access_key_id": "hunter2"}], ids=["secret", "id"]
)
def test_wrong_credentials_give_one_clear_error(s3_location: S3Location, wrong: dict[str, object]) -> None:
    """The remedy says what to check; neither the wrong nor the right secret is shown."""
    assert s3_location.secret_access_key is not None
    store = S3Store(s3_location.model_copy(update=wrong))
    for operation in (store.get, store.exists, store.keys, lambda key: store.create(key, b"", "text/plain")):
        with pytest.raises(StoreError, match="403") as caught:
            operation("k")
        assert "check the access key id and the secret" in caught.value.remedy
        for secret in ("hunter2", s3_location.secret_access_key.get_secret_value()):
            assert secret not in str(caught.value)


def test_missing_credentials_give_one_clear_error(monkeypatch: pytest.MonkeyPatch, s3_location: S3Location) -> None:
    """Nothing is sent unsigned, and the shell without the settings of the demo is told of them."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    none = {"access_key_id": None, "secret_access_key": None}
    with pytest.raises(StoreError, match="NoCredentialsError") as caught:
        S3Store(s3_location.model_copy(update=none)).get("k")
    assert ". .gatewright/settings.env" in caught.value.remedy


@pytest.mark.parametrize("endpoint", ["store:9000", "http://", "ftp://store"])
def test_an_unusable_endpoint_gives_one_clear_error(endpoint: str) -> None:
    """Not a traceback of boto3's."""
    location = S3Location(
        endpoint_url=endpoint,
        bucket="bucket",
        access_key_id="id",
        secret_access_key=SecretStr("secret"),
        patience_seconds=0.5,
    )
    with pytest.raises(StoreError):
        S3Store(location).get("k")


def test_bytes_that_were_changed_on_their_way_are_an_integrity_error(proxy: FaultProxy, behind: S3Store) -> None:
    """They are checked against the checksum that was stored with them."""
    behind.create("k", b"body", "text/plain")
    proxy.plan("GET", Fault("tampered", True))
    with pytest.raises(IntegrityError, match="checksum"):
        behind.get("k")


def test_a_proxy_of_the_environment_is_not_used_for_loopback(
    monkeypatch: pytest.MonkeyPatch, s3_store: S3Store, free_port: int
) -> None:
    """It could not reach the embedded store."""
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert s3_store.create("k", b"", "text/plain")


def test_a_bucket_may_be_ensured_by_many_at_once(s3_location: S3Location) -> None:
    """One of them creates it, all of them may use it."""
    stores = [S3Store(s3_location.model_copy(update={"bucket": "ensured-by-many"})) for _ in range(4)]
    errors: list[GatewrightError] = []

    def ensure(store: S3Store) -> None:
        try:
            store.ensure_bucket()
            store.create("k", b"same", "text/plain")
        except GatewrightError as error:
            errors.append(error)

    threads = [threading.Thread(target=ensure, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert stores[0].get("k") == b"same"
