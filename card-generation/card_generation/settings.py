"""Settings, read once from the environment into a value that is valid.

Every variable is checked before anything starts. All problems are reported together, each naming the
variable, the bad value and what is accepted; the value of a secret is never shown.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

DEFAULT_BASE_URL = "https://api.openai.com/v1"
DEFAULT_MODEL = "gpt-4o-mini"
MIN_SECRET_LENGTH = 16


class SettingsError(Exception):
    """One or more settings are wrong; the text has a line for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """How to reach an OpenAI-compatible API."""

    base_url: str
    api_key: SecretStr | None
    model: str
    timeout_seconds: float
    connect_timeout_seconds: float


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of the service. `model` is absent when cards are made offline."""

    host: str
    port: int
    secret: SecretStr
    data_dir: Path
    concurrency: int
    exit_with_parent: bool
    log_level: str
    model: ModelSettings | None


def load_settings(environment: Mapping[str, str]) -> Settings:
    """Read and check the settings.

    Raises `SettingsError` that lists every wrong variable.
    """
    reader = _Reader(environment)
    settings = Settings(
        host=_host(reader),
        port=reader.integer("SPACEY_GENERATION_PORT", default=8091, least=0, most=65_535),
        secret=_secret(reader),
        data_dir=Path(reader.text("SPACEY_GENERATION_DATA_DIR", default="data/card-generation")),
        concurrency=reader.integer("SPACEY_GENERATION_CONCURRENCY", default=4, least=1, most=64),
        exit_with_parent=reader.flag("SPACEY_GENERATION_EXIT_WITH_PARENT"),
        log_level=reader.choice(
            "SPACEY_GENERATION_LOG", default="info", accepted=("debug", "info", "warning", "error")
        ),
        model=_model(reader),
    )
    if reader.problems:
        raise SettingsError(reader.problems)
    return settings


class _Reader:
    """Reads variables and gathers what is wrong with them. An empty variable counts as absent."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def get(self, name: str) -> str | None:
        return self._environment.get(name, "").strip() or None

    def refuse(self, name: str, value: str | None, accepted: str) -> None:
        shown = "is not set" if value is None else f"has the value {value!r}"
        self.problems.append(f"{name} {shown}; accepted: {accepted}")

    def text(self, name: str, default: str) -> str:
        return self.get(name) or default

    def integer(self, name: str, default: int, least: int, most: int) -> int:
        value = self.get(name)
        if value is None:
            return default
        if value.isascii() and value.isdigit() and len(value) <= 9 and least <= int(value) <= most:
            return int(value)
        self.refuse(name, value, f"a whole number from {least} to {most}")
        return default

    def seconds(self, name: str, default: float, most: float) -> float:
        value = self.get(name)
        if value is None:
            return default
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if 0.0 < number <= most:
            return number
        self.refuse(name, value, f"a number of seconds above 0 and at most {most:g}")
        return default

    def flag(self, name: str) -> bool:
        return self.choice(name, default="0", accepted=("0", "1", "false", "true")) in ("1", "true")

    def choice(self, name: str, default: str, accepted: tuple[str, ...]) -> str:
        value = self.get(name)
        if value is None:
            return default
        if value.lower() in accepted:
            return value.lower()
        self.refuse(name, value, "one of " + ", ".join(accepted))
        return default


def _host(reader: _Reader) -> str:
    name = "SPACEY_GENERATION_HOST"
    host = reader.text(name, default="127.0.0.1")
    anywhere = reader.flag("SPACEY_GENERATION_ALLOW_NON_LOOPBACK")
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        reader.refuse(name, host, "an IP address, or localhost")
        return host
    if not (address.is_loopback or anywhere):
        reader.refuse(
            name,
            host,
            "a loopback address such as 127.0.0.1, because a caller names the user it acts for; "
            "on a private network set SPACEY_GENERATION_ALLOW_NON_LOOPBACK=1 as well",
        )
    return host


def _secret(reader: _Reader) -> SecretStr:
    name = "SPACEY_GENERATION_SECRET"
    value = reader.get(name) or ""
    accepted = f"at least {MIN_SECRET_LENGTH} printable ASCII characters, shared with Spacey"
    if not value:
        reader.refuse(name, None, accepted)
    elif len(value) < MIN_SECRET_LENGTH:
        reader.problems.append(f"{name} has {len(value)} characters; accepted: {accepted}")
    elif not (value.isascii() and value.isprintable()):
        reader.problems.append(f"{name} has characters outside printable ASCII; accepted: {accepted}")
    return SecretStr(value)


def _model(reader: _Reader) -> ModelSettings | None:
    """Read the settings of the model. They are checked even when no model is used."""
    base_url, key = reader.get("OPENAI_BASE_URL"), reader.get("OPENAI_API_KEY")
    model = ModelSettings(
        base_url=_base_url(reader, base_url),
        api_key=_api_key(reader, key),
        model=reader.text("SPACEY_GENERATION_MODEL", default=DEFAULT_MODEL),
        timeout_seconds=reader.seconds("SPACEY_GENERATION_TIMEOUT_SECONDS", 55.0, most=600.0),
        connect_timeout_seconds=reader.seconds("SPACEY_GENERATION_CONNECT_TIMEOUT_SECONDS", 5.0, most=60.0),
    )
    return model if base_url or key else None


def _base_url(reader: _Reader, value: str | None) -> str:
    name = "OPENAI_BASE_URL"
    accepted = "an http or https address without user, query or fragment, such as " + DEFAULT_BASE_URL
    try:
        parts = urlsplit(value or DEFAULT_BASE_URL)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        httpx.URL(value or DEFAULT_BASE_URL)
    except (ValueError, httpx.InvalidURL):
        reader.refuse(name, value, accepted)
        return DEFAULT_BASE_URL
    if parts.username is not None or parts.password is not None:
        # The address holds a password, so it is not shown.
        reader.problems.append(f"{name} holds a user name or password; accepted: {accepted}")
    elif not usable or parts.query or parts.fragment:
        reader.refuse(name, value, accepted)
    return (value or DEFAULT_BASE_URL).rstrip("/")


def _api_key(reader: _Reader, value: str | None) -> SecretStr | None:
    if value is None:
        return None
    if not (value.isascii() and value.isprintable()):
        reader.problems.append("OPENAI_API_KEY has characters outside printable ASCII")
    return SecretStr(value)
