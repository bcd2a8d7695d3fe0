"""Secrets that were planted in settings, parameters and errors are found nowhere."""

import logging
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from gatewright import wiring
from gatewright.core.errors import GatewrightError, ModelError
from gatewright.core.redaction import redacted
from gatewright.core.releases import ReleaseState
from gatewright.services.log_redaction import redact_logs
from gatewright.services.s3_location import S3Location
from gatewright.services.s3_protocol import store_error
from gatewright.services.store import S3Store
from gatewright.settings import Settings
from tests.services.release_book import Book
from tests.services.reports.example_view import OPENING

SECRET = "hunter2-ab.CD+ef/12"
PLANTED = [
    f"Authorization: Bearer {SECRET}",
    f"GET /b\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIAABCDEFGHIJKLMNOP/x, Signature={SECRET}\r\nHost: s3",
    f"{{'Authorization': 'Basic {SECRET}=='}}",
    f"could not connect to postgresql://svc:{SECRET}@db.example/rows",
    f"redis://:{SECRET}@cache:6379/0 refused",
    f"bad option password={SECRET}; retrying",
    f"aws_secret_access_key = {SECRET}",
    f'{{"api_key": "{SECRET}", "size": 3}}',
    f"GATEWRIGHT_STORE_SECRET_ACCESS_KEY={SECRET}",
    f"https://s3/b/k?X-Amz-Signature={SECRET}&X-Amz-Date=1",
    f"Cookie: session={SECRET}",
    f"-----BEGIN OPENSSH PRIVATE KEY-----\n{SECRET}\n-----END OPENSSH PRIVATE KEY-----",
]


@pytest.mark.parametrize("text", PLANTED)
def test_a_credential_in_an_error_of_others_is_cut_out(text: str) -> None:
    """Wherever it stands in our error, and after the error went through another process."""
    for error in (
        ModelError(f"training failed: {text}", where="x", remedy="y"),
        GatewrightError("x", where=text, remedy="y"),
        GatewrightError("x", where="y", remedy=text),
    ):
        assert SECRET not in f"{error} {error!r} {error.args} {error.__reduce__()}"


@pytest.mark.parametrize(
    "text",
    ["write the token into the form.", "a password stands in the spec.", "the secret: nobody knows", "basic rules"],
)
def test_our_own_sentences_are_left_alone(text: str) -> None:
    """Speaking of passwords is not showing one."""
    assert redacted(text) == text


@given(st.text(alphabet=st.characters(exclude_categories=["C"]), max_size=200))
def test_cutting_twice_is_cutting_once(text: str) -> None:
    """An error that is wrapped in another is not cut down further."""
    assert redacted(redacted(text)) == redacted(text)


def test_the_settings_never_show_their_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Printed, dumped, or refused for another value."""
    monkeypatch.setenv("GATEWRIGHT_STORE_SECRET_ACCESS_KEY", SECRET)
    settings = Settings()
    assert SECRET not in f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"
    monkeypatch.setenv("GATEWRIGHT_SHARDS", f"not a number {SECRET}")
    with pytest.raises(GatewrightError) as caught:
        wiring.read_settings()
    assert SECRET not in f"{caught.value} {caught.value.__cause__}"


def test_what_the_store_answers_is_not_repeated() -> None:
    """A server that echoes the request would put its signature into our log."""
    answer = {
        "Error": {"Code": "Odd", "Message": f"Authorization: {SECRET}"},
        "ResponseMetadata": {"HTTPStatusCode": 418, "HTTPHeaders": {"x-echo": SECRET}},
    }
    error = store_error(ClientError(answer, "PutObject"), "s3/bucket/key")
    assert SECRET not in str(error)
    assert "418 Odd" in str(error)


def test_a_store_that_cannot_be_reached_names_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    """Neither the error, nor what it came from, nor boto3's log."""
    caplog.set_level(logging.INFO)
    location = S3Location.model_validate(
        {
            "endpoint_url": "http://127.0.0.1:9",
            "bucket": "bucket",
            "access_key_id": "AKIAABCDEFGHIJKLMNOP",
            "secret_access_key": SECRET,
            "patience_seconds": 0.2,
        }
    )
    with pytest.raises(GatewrightError) as caught:
        S3Store(location).get("key")
    assert SECRET not in f"{caught.value} {caught.value.__cause__!r} {caplog.text} {S3Store(location).__dict__}"


@pytest.mark.parametrize("text", PLANTED)
def test_a_release_that_fails_over_a_secret_keeps_none(tmp_path: Path, text: str) -> None:
    """The whole store is searched: evidence, ledger and blobs, after an error was recorded as the flow records it."""
    book = Book(tmp_path)
    opening = book.releases.open(OPENING)
    error = ModelError(f"training failed: {text}", where="train", remedy="correct it.")
    book.releases.close(opening, ReleaseState.FAILED, "gatewright", note=str(error)[:1000])
    assert any(b"training failed" in body for body in book.store.objects.values())
    assert [key for key, body in book.store.objects.items() if SECRET.encode() in body] == []


@pytest.mark.parametrize("text", PLANTED)
def test_a_log_keeps_no_credential_of_a_traceback(caplog: pytest.LogCaptureFixture, text: str) -> None:
    """Python prints the error that ours came from, in full."""
    redact_logs(["tests.planted"])
    logger = logging.getLogger("tests.planted")
    try:
        try:
            raise RuntimeError(text)
        except RuntimeError as error:
            raise ModelError("training failed.", where="x", remedy="y") from error
    except ModelError:
        logger.exception("while training with %s", text)
    assert "training failed" in caplog.text
    assert SECRET not in caplog.text
