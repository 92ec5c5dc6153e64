"""Secrets of MCP servers: encrypted twins of the plain columns."""

import json

from pydantic import BaseModel
from sqlalchemy import ColumnElement, column, or_

import backfill
from backfill import is_missing


class OauthTwins(BaseModel):
    """Written; read as well, since a twin that is there stays."""

    access_token_enc: str | None
    refresh_token_enc: str | None
    client_secret_enc: str | None


class Oauth(OauthTwins):
    """Read."""

    access_token: str | None
    refresh_token: str | None
    client_secret: str | None


class ServerTwins(BaseModel):
    """Written, and read."""

    token_enc: str | None
    custom_headers_enc: str | None


class Server(ServerTwins):
    """Read."""

    token: str | None
    custom_headers: dict[str, str] | None


def waiting(*secrets: str) -> ColumnElement[bool]:
    """Rows in which one of the secrets has no twin."""
    return or_(*(column(secret).is_not(None) & is_missing(f"{secret}_enc") for secret in secrets))


def twin(encrypted: str | None, plain: str | None) -> str | None:
    """The twin that is there, else the plain text through the project's cipher."""
    return f"enc({plain})" if encrypted is None and plain is not None else encrypted


@backfill.transform("mcp_oauth", where=waiting("access_token", "refresh_token", "client_secret"))
def encrypt_oauth(oauth: Oauth) -> OauthTwins:
    """Every secret that is set gets its twin."""
    return OauthTwins(
        access_token_enc=twin(oauth.access_token_enc, oauth.access_token),
        refresh_token_enc=twin(oauth.refresh_token_enc, oauth.refresh_token),
        client_secret_enc=twin(oauth.client_secret_enc, oauth.client_secret),
    )


@backfill.transform("mcp_server", where=waiting("token", "custom_headers"))
def encrypt_servers(server: Server) -> ServerTwins:
    """Every secret that is set gets its twin; headers are encrypted as JSON."""
    headers = json.dumps(server.custom_headers) if server.custom_headers else None
    return ServerTwins(
        token_enc=twin(server.token_enc, server.token),
        custom_headers_enc=twin(server.custom_headers_enc, headers),
    )


STEPS = (encrypt_oauth, encrypt_servers)
