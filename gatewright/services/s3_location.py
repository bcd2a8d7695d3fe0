"""Where a bucket is, and how to reach it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from gatewright.core.errors import SpecError
from gatewright.services.store_keys import valid_key

__all__ = ["S3Location"]


class S3Location(BaseModel):
    """One bucket of one S3 server, and how to reach it.

    ``endpoint_url`` None means AWS; keys None mean boto3's own chain (instance role, profile, environment).
    ``checksum`` is ``when_required`` for Ceph over HTTPS. ``patience_seconds`` is how long one operation goes
    on while the store is silent, busy or restarting. With ``lock_days`` nobody, whatever their rights, can delete or
    change what was written, for so many days (S3 Object Lock, mode COMPLIANCE): for buckets of blobs only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    endpoint_url: str | None = None
    region: str = "us-east-1"
    bucket: str = Field(min_length=3, max_length=63)
    prefix: str = ""
    access_key_id: str | None = None
    secret_access_key: SecretStr | None = None
    addressing_style: Literal["path", "virtual", "auto"] = "path"
    checksum: Literal["when_supported", "when_required"] = "when_supported"
    patience_seconds: float = Field(default=10.0, gt=0)
    lock_days: int | None = Field(default=None, ge=1, le=36_500)

    @field_validator("endpoint_url")
    @classmethod
    def _without_credentials(cls, endpoint_url: str | None) -> str | None:
        if endpoint_url is not None and "@" in endpoint_url:
            raise ValueError("an endpoint URL is shown in messages, so it must not hold credentials")
        return endpoint_url

    @field_validator("prefix")
    @classmethod
    def _relative(cls, prefix: str) -> str:
        prefix = prefix.removesuffix("/")
        try:
            return valid_key(prefix) if prefix else ""
        except SpecError as error:
            raise ValueError(error.problem) from error

    def where(self, key: str = "") -> str:
        """The place of ``key`` for messages: endpoint, bucket, prefix, key."""
        parts = (self.endpoint_url or f"s3 ({self.region})", self.bucket, self.prefix, key)
        return "/".join(part.rstrip("/") for part in parts if part)
