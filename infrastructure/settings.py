"""What can be set from outside, by `SUNLOT_*` environment variables or a `.env` file.

The only place that reads the environment. Nothing here can change the bytes of an event.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The settings of one installation; every default serves the embedded one."""

    model_config = SettingsConfigDict(env_prefix="SUNLOT_", env_file=".env", extra="ignore", frozen=True)

    data_dir: Path = Field(
        default=Path("var"),
        description="Folder for everything kept in files: the embedded store, blobs, the published ledger.",
    )
    database_url: str = Field(
        default="",
        description="Where the store is: sqlite:///folder or postgresql://…; empty: SQLite in data_dir.",
    )
    migration_url: str = Field(
        default="",
        description="The same database as the role that owns its tables; empty: database_url.",
    )
    service_role: str = Field(
        default="",
        description="The PostgreSQL role of the service, which migrations give its few rights; empty: none.",
    )
    origin: str = Field(
        default="sunlot.example/140100",
        description="The log's name, kept in every checkpoint for ever; its key is made for it.",
    )
    region: str = Field(
        default="140000",
        description="The region (GB/T 2260) of the first administrator.",
    )
    ledger_key_file: Path | None = Field(
        default=None,
        description="File with the ledger's secret key (mode 0600); empty: ledger.key in data_dir.",
    )
    ledger_key: SecretStr | None = Field(
        default=None,
        description="The ledger's secret key itself, instead of a file.",
    )
    trust_policy_file: Path | None = Field(
        default=None,
        description="Witnesses and quorum (C2SP tlog-policy); empty: trust-policy in data_dir, if there.",
    )
    quorum_seconds: float = Field(
        default=10.0, gt=0, le=60, description="How long a draw's sealing waits for the quorum, in seconds."
    )
    witness_seconds: float = Field(
        default=60.0, ge=1, le=86_400, description="How often the witnesses are asked, in seconds."
    )
    tsa_url: str = Field(
        default="", description="Address of a time-stamp authority (RFC 3161); empty: no time-stamps."
    )
    tsa_certificate: Path | None = Field(
        default=None, description="PEM file with the root certificates of the time-stamp authority."
    )
    timestamp_seconds: float = Field(
        default=3600.0, ge=1, le=86_400, description="How often a checkpoint is time-stamped, in seconds."
    )
    host: str = Field(default="127.0.0.1", description="Address to serve on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to serve on; 0 takes a free one.")
    allowed_hosts: str = Field(
        default="127.0.0.1,localhost,[::1],testserver",
        description="Host names that requests may name, separated by commas; * allows any.",
    )
    body_limit: int = Field(
        default=1_000_000, ge=1_000, description="The most bytes of a request's JSON body."
    )
    upload_limit: int = Field(default=50_000_000, ge=1_000, description="The most bytes of an uploaded file.")
    session_hours: int = Field(default=12, ge=1, le=720, description="How long a sign-in lasts, in hours.")
    token_days: int = Field(
        default=90, ge=1, le=366, description="How long a machine's token lasts at most, in days."
    )
    publish_seconds: float = Field(
        default=1.0, gt=0, le=2, description="How often the ledger is published, in seconds."
    )
    poll_seconds: float = Field(
        default=0.2, gt=0, le=5, description="How often projections look for new events, in seconds."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="The least severity of log lines."
    )
    log_format: Literal["console", "json"] = Field(
        default="console", description="How log lines look: for people or for machines."
    )

    @property
    def store_url(self) -> str:
        """Where the store is, with the default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir}"

    @property
    def owner_url(self) -> str:
        """The store as the role that owns its tables."""
        return self.migration_url or self.store_url

    @property
    def key_file(self) -> Path:
        """Where the ledger's secret key is, unless it is set itself."""
        return self.ledger_key_file or self.data_dir / "ledger.key"

    @property
    def key_secret(self) -> str | None:
        """The ledger's secret key, if it is set itself."""
        return self.ledger_key.get_secret_value() if self.ledger_key is not None else None

    @property
    def policy_file(self) -> Path:
        """Where the witnesses and their quorum are named, if they are."""
        return self.trust_policy_file or self.data_dir / "trust-policy"

    @property
    def blobs_dir(self) -> Path:
        """Where blobs are kept."""
        return self.data_dir / "blobs"

    @property
    def ledger_dir(self) -> Path:
        """Where the ledger is published."""
        return self.data_dir / "ledger"

    @property
    def calendar_dir(self) -> Path:
        """Where an administrator puts notices of working days."""
        return self.data_dir / "calendar"

    @property
    def rulebook_dir(self) -> Path:
        """Where an agency puts rulebooks of its own."""
        return self.data_dir / "rulebooks"
