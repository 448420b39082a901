"""A database's URL, as everyone but SQLAlchemy reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, urlencode

from sqlalchemy import URL, make_url

_SAID_ALIKE: Final = frozenset({"sslmode", "sslrootcert", "sslcert", "sslkey", "application_name"})


def libpq_url(url: str) -> str:
    """The URL of a PostgreSQL in the form of libpq, which pgx reads too. What it says to asyncpg alone is left out."""
    read = make_url(url)
    person = quote(read.username or "", safe="")
    if read.password is not None:
        person += f":{quote(str(read.password), safe='')}"
    at = f"{person}@" if person else ""
    said = urlencode(list(_said(read)), quote_via=quote, safe="/,")
    return f"postgresql://{at}/{quote(read.database or '', safe='')}?{said}"


def _said(url: URL) -> Iterator[tuple[str, str]]:
    """The rest of it, with hosts beside it: only there a folder of sockets can stand, or several hosts."""
    query = url.normalized_query
    beside = [host.rpartition(":") if ":" in host else (host, "", "") for host in query.get("host", ())]
    hosts = [(url.host, "", "")] if url.host else beside
    if hosts:
        yield "host", ",".join(host for host, _, _ in hosts)
    ports = [port for _, _, port in hosts if port] or [str(url.port)] * bool(url.port) or query.get("port", ())
    if ports:
        yield "port", ",".join(ports)
    for name in query.get("ssl", ()):
        yield "sslmode", {"true": "require", "false": "disable"}.get(name.lower(), name)
    for name in sorted(_SAID_ALIKE & query.keys()):
        yield name, query[name][-1]
