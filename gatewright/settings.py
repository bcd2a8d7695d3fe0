"""Settings, read once at the edge: from ``GATEWRIGHT_*`` in the environment or ``.gatewright/settings.env``."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

__all__ = ["JSON_LIST", "Settings"]


def _listed(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError('this is no JSON list, such as ["first", "second"]') from None


# pydantic-settings' own decoding ends in an error that does not say what it should have been.
JSON_LIST = (NoDecode, BeforeValidator(_listed))


class Settings(BaseSettings):
    """Everything that differs between machines. Secrets are never shown when this is printed.

    ``store_endpoint_url`` None means AWS itself. ``store_checksum`` is ``when_required`` for Ceph over HTTPS.
    ``models_dir`` holds one folder a model with its ``model.yaml``; all paths are relative to ``root``. Data are read
    from below a model's folder and from below ``data_roots``, and from nowhere else.
    ``engine`` adds up shards of large files on threads of the process, on Dask or on Ray; ``engine_address`` is
    that of their scheduler, without one they run on this machine. ``pipeline_key`` is the OpenSSH key that seals
    channel moves, checkpoints and attestations; ``checkpoints`` a directory or git work tree outside the store for
    signed checkpoints. ``lock_days`` locks each new blob for so long, where the store has Object Lock.
    ``scoring_token`` and ``labels_token`` are what callers show to ``/score`` and to ``/labels`` of the service.
    ``documents_url`` is the gateway's origin, such as ``https://prefect.example.com``: pages then link to the documents
    of a release at ``<documents_url>/gatewright/releases/<release id>/<file name>``.
    """

    model_config = SettingsConfigDict(
        env_prefix="GATEWRIGHT_", env_file=".gatewright/settings.env", extra="ignore", frozen=True
    )

    root: Path = Field(default_factory=Path.cwd)
    models_dir: Path = Path("examples")
    data_roots: Annotated[tuple[Path, ...], *JSON_LIST] = ()
    cache_dir: Path = Path(".gatewright/cache")
    roster: Path = Path("policies/roster.yaml")
    notifications: Path = Path("policies/notifications.yaml")

    store_endpoint_url: str | None = None
    store_region: str = "us-east-1"
    store_access_key_id: str | None = None
    store_secret_access_key: SecretStr | None = None
    store_addressing_style: Literal["path", "virtual", "auto"] = "path"
    store_checksum: Literal["when_supported", "when_required"] = "when_supported"
    blob_bucket: str = "gatewright-blobs"
    record_bucket: str = "gatewright-records"

    pipeline_key: Path | None = None
    checkpoints: Path | None = None
    lock_days: int | None = Field(default=None, ge=1)

    engine: Literal["local", "dask", "ray"] = "local"
    engine_address: str | None = None
    shards: int = Field(default=1, ge=1)

    channel: str = "production"
    target_url: str = "http://127.0.0.1:8000"
    scoring_token: SecretStr | None = None
    labels_token: SecretStr | None = None
    documents_url: str | None = None
    # Images have no git; the build sets the revision it was made from.
    code_revision: str | None = None

    def path(self, relative: Path | str) -> Path:
        """A path below ``root``."""
        return self.root / relative
