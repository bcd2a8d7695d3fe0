"""What boto3 must be told, and what its errors mean. No message holds a secret, nor text from the server."""

from typing import TYPE_CHECKING, Any

from gatewright.core.errors import IntegrityError, StoreError

if TYPE_CHECKING:
    from gatewright.services.store import S3Location

__all__ = [
    "AMBIGUOUS",
    "BUSY",
    "code_of",
    "listing_hint",
    "s3_client",
    "s3_errors",
    "silent",
    "status_of",
    "store_error",
]

_CONNECT_SECONDS = 3.0
_LOOPBACK = ("http://127.0.0.1:", "http://localhost:", "http://[::1]:")

BUSY = frozenset({429, 500, 502, 503, 504})
# Each of these may hide our own write: a reply that was lost and asked again, or a rival still in flight.
AMBIGUOUS = BUSY | {400, 408, 409, 412}

_CREDENTIALS = "check the access key id and the secret of the object store in the settings, and this machine's clock."
_REMEDIES = {
    "AccessDenied": "check that this access key may read, write and list this bucket.",
    "InvalidAccessKeyId": _CREDENTIALS,
    "SignatureDoesNotMatch": _CREDENTIALS,
    "RequestTimeTooSkewed": _CREDENTIALS,
    "NoCredentialsError": "name the store in the settings; with the demo `set -a; . .gatewright/settings.env; set +a`.",
    "NoSuchBucket": "create the bucket, or correct its name in the settings.",
}


def s3_client(location: "S3Location", *, anonymous: bool = False) -> Any:
    """A boto3 client that tries once and gives up on a silent store. Raises StoreError for unusable settings."""
    import boto3
    from botocore import UNSIGNED
    from botocore.config import Config

    secret = location.secret_access_key
    config = Config(
        signature_version=UNSIGNED if anonymous else "s3v4",
        s3={"addressing_style": location.addressing_style},
        retries={"total_max_attempts": 1},
        connect_timeout=min(_CONNECT_SECONDS, location.patience_seconds),
        # Half, so that a lost reply leaves time to ask again.
        read_timeout=location.patience_seconds / 2,
        request_checksum_calculation=location.checksum,
        response_checksum_validation=location.checksum,
        # A proxy of the environment cannot reach this machine's own loopback.
        proxies={} if (location.endpoint_url or "").startswith(_LOOPBACK) else None,
        max_pool_connections=32,
    )
    unusable: tuple[type[Exception], ...] = (*s3_errors(), ValueError)
    try:
        # The default session is shared between threads and is not safe to make clients from.
        return boto3.session.Session().client(
            "s3",
            endpoint_url=location.endpoint_url,
            region_name=location.region,
            aws_access_key_id=location.access_key_id,
            aws_secret_access_key=secret.get_secret_value() if secret else None,
            config=config,
        )
    except unusable as error:
        raise store_error(error, location.where()) from error


def s3_errors() -> tuple[type[Exception], ...]:
    """What boto3 raises: an answer that is an error, or no answer."""
    from botocore.exceptions import BotoCoreError, ClientError

    return ClientError, BotoCoreError


def status_of(error: Exception) -> int | None:
    """The HTTP status of an error answer; None when there was no answer."""
    status = _answer(error).get("ResponseMetadata", {}).get("HTTPStatusCode")
    return status if isinstance(status, int) else None


def code_of(error: Exception) -> str:
    """The S3 error code, or the kind of failure when there was no answer."""
    return str(_answer(error).get("Error", {}).get("Code") or type(error).__name__)


def _answer(error: Exception) -> dict[str, Any]:
    # The errors of connections have the attribute too, and it is None.
    answer = getattr(error, "response", None)
    return answer if isinstance(answer, dict) else {}


def silent(error: Exception) -> bool:
    """Whether the connection was refused, broken or too slow."""
    from botocore.exceptions import ConnectionError as NoConnectionError
    from botocore.exceptions import HTTPClientError, IncompleteReadError

    return isinstance(error, NoConnectionError | HTTPClientError | IncompleteReadError)


def store_error(error: Exception, where: str, *, unresolved: bool = False) -> StoreError:
    """``error`` in our words. ``unresolved`` says that a write may still land."""
    doubt = " Whether the object was written is not known: it may still appear." if unresolved else ""
    if silent(error):
        return StoreError(
            f"the object store does not answer ({code_of(error)}).{doubt}",
            where=where,
            remedy="start the store, or correct its endpoint URL in the settings; nothing that was written is lost.",
        )
    status, code = status_of(error), code_of(error)
    if code == "FlexibleChecksumError":
        return IntegrityError(
            "the bytes that arrived do not match the checksum that was stored with them.",
            where=where,
            remedy="read again; if it stays so, restore the object from a backup and investigate the store.",
        )
    default = (
        _CREDENTIALS if status in (401, 403) or "Credentials" in code else "look into the log of the object store."
    )
    said = code if status is None or code == str(status) else f"{status} {code}"
    return StoreError(
        f"the object store refused the request ({said}).{doubt}",
        where=where,
        remedy=_REMEDIES.get(code, default),
    )


def listing_hint(prefix: str, start_after: str) -> str:
    """A place to start a listing of ``prefix`` from that skips no key after ``start_after``; "" for the beginning.

    S3 sorts by characters, SeaweedFS directory by directory, and it skips a whole directory that is itself named.
    Up to the first character below ``/`` both orders agree; one character less never names a directory that
    holds a later key.
    """
    if not start_after.startswith(prefix):
        return ""
    rest = start_after[len(prefix) :]
    agreed = next((rest[:i] for i, character in enumerate(rest) if character < "/"), rest)
    hint = agreed if agreed.endswith("/") else agreed[:-1]
    return prefix + hint if hint else ""
