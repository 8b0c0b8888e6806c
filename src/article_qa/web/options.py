"""How the service runs, from the environment; what decides an answer is in ``Settings``."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Any

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from article_qa.errors import OptionsError

PUBLIC_RATE = "240/minute"
"""Requests that cost work, from one address, where other machines can reach the service."""


def _either(name: str) -> AliasChoices:
    """Also take a variable by its short name, as hosts of containers set it."""
    return AliasChoices(f"ARTICLE_QA_{name}", name, name.lower())


class ServiceOptions(BaseSettings):
    """How the service runs. Each field is read from ``ARTICLE_QA_`` and its name in capitals.

    Args:
        index: folder of the built index.
        store: address of a Milvus collection, in place of the folder.
        objects: where that keeps the articles' texts, if not where it was made with.
        host: address to listen on.
        port: None for 7860 or the next that is free.
        chat_model: chat model that writes the answers; None for the built-in reader.
        allowed_hosts: names by which the service may be addressed, beside localhost and ``host``.
        token: every request must bear it, but for health checks; None for none.
        rate_limit: requests that cost work, from one address ("100/minute"); "" for no limit, None
            for no limit on this machine alone and ``PUBLIC_RATE`` beyond it.
        max_body: bytes of a request.
        feedback: file for thumbs up and down; "" to store none.
        mcp: serve MCP at /mcp.
        log_json: log JSON objects.
        log_level: of this package.
        log_text: also log what was asked and answered.
        stop_seconds: how long running answers may take to finish when the service is stopped.
    """

    model_config = SettingsConfigDict(
        env_prefix="ARTICLE_QA_", extra="ignore", populate_by_name=True
    )

    index: Path = Path("index")
    store: str | None = None
    objects: str | None = None
    host: str = Field(default="127.0.0.1", validation_alias=_either("HOST"))
    port: int | None = Field(default=None, ge=0, le=65535, validation_alias=_either("PORT"))
    chat_model: str | None = None
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    token: SecretStr | None = Field(default=None, min_length=8)
    rate_limit: str | None = None
    max_body: int = Field(default=15_000_000, gt=0)
    feedback: str = "feedback/feedback.jsonl"
    mcp: bool = False
    log_json: bool = False
    log_level: str = "INFO"
    log_text: bool = False
    stop_seconds: int = Field(default=10, ge=0)

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("rate_limit")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        if value:
            import limits

            limits.parse(value)
        return value

    @property
    def public(self) -> bool:
        """Whether other machines can reach the service."""
        if self.host == "localhost":
            return False
        try:
            return not ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return True

    @property
    def rate(self) -> str | None:
        """The rate limit in force, or None."""
        if self.rate_limit is None:
            return PUBLIC_RATE if self.public else None
        return self.rate_limit or None


def read_options(**given: Any) -> ServiceOptions:
    """Read the environment; what is given and not None goes before it.

    Raises:
        OptionsError: a value cannot be used; names it, and never says a token.
    """
    try:
        return ServiceOptions(**{k: v for k, v in given.items() if v is not None})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        name = ".".join(map(str, first["loc"])).upper().removeprefix("ARTICLE_QA_")
        raise OptionsError(f"ARTICLE_QA_{name}: {first['msg']}.") from None
