"""Where Prometheus finds the numbers: /metrics on a listener of its own."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from socket import AF_INET6
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

from gateway.settings.listening import CannotListen, is_loopback, split_address

_WSGI = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
_HANG_AFTER: Final = 5.0


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Server6(_Server):
    address_family = AF_INET6


class _Quiet(WSGIRequestHandler):
    timeout = _HANG_AFTER

    def log_message(self, *_: object) -> None:
        """Requests for numbers are not worth a line."""


@asynccontextmanager
async def exposed(registry: CollectorRegistry, listen: str, key: str) -> AsyncIterator[str]:
    """Serve /metrics while the context lasts, from a thread of its own, and tell where. Callers from beyond this
    machine must show the key as a bearer token; an empty `listen` serves nowhere.

    Raises:
        CannotListen: nobody can listen there.
    """
    if not listen:
        yield ""
        return
    host, port = split_address(listen)
    family = _Server6 if ":" in host else _Server
    try:
        server = make_server(host, port, _guarded(make_wsgi_app(registry), key), family, _Quiet)
    except OSError:
        raise CannotListen("metrics.listen", listen) from None
    thread = Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield f"{listen.rpartition(':')[0]}:{server.server_port}"
    finally:
        await asyncio.to_thread(server.shutdown)
        thread.join()
        server.server_close()


def _guarded(numbers: _WSGI, key: str) -> _WSGI:
    wanted = f"Bearer {key}".encode()

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/metrics":
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"The numbers are at /metrics.\n"]
        shown = environ.get("HTTP_AUTHORIZATION", "").encode()
        if not is_loopback(f"[{environ['REMOTE_ADDR']}]:0") and not (key and hmac.compare_digest(shown, wanted)):
            start_response("401 Unauthorized", [("Content-Type", "text/plain"), ("WWW-Authenticate", "Bearer")])
            return [b"The numbers need the key, as a bearer token.\n"]
        return numbers(environ, start_response)

    return answer
