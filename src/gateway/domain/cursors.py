"""Cursors and page tokens: opaque to callers, signed, and bound to what they belong to."""

import base64
import binascii
import hashlib
import hmac
import struct
from typing import Final

from gateway.domain.errors import CursorInvalid, PageTokenInvalid

_POSITION: Final = struct.Struct(">Q")
_SIGNATURE: Final = 9


class Signer:
    """Makes and reads cursors of one log and page tokens of one installation.

    `secret` is the installation's, and `log_id` names the log: cursors of another are refused, and never misread.
    """

    def __init__(self, secret: bytes, log_id: str) -> None:
        self._keyed = hashlib.blake2b(key=secret, digest_size=_SIGNATURE)
        self._log_id = log_id

    def cursor(self, tenant_id: str, position: int) -> str:
        """The cursor just after the event at this position of the tenant's log."""
        packed = _POSITION.pack(position)
        return _encode(packed + self._sign(b"cursor", tenant_id, packed))

    def position(self, tenant_id: str, cursor: str, *, field: str = "start.after_cursor") -> int:
        """The position that a cursor stands for.

        Raises:
            CursorInvalid: it is not one of this tenant's log.
        """
        raw = _decode(cursor)
        packed, signature = raw[: _POSITION.size], raw[_POSITION.size :]
        if len(packed) != _POSITION.size or not self._fits(signature, b"cursor", tenant_id, packed):
            raise CursorInvalid(field=field)
        position: int = _POSITION.unpack(packed)[0]
        return position

    def page_token(self, tenant_id: str, listing: str, after: str) -> str:
        """A token for the page after `after` of a listing; `listing` names the RPC and its filter."""
        packed = after.encode()
        return _encode(self._sign(b"page\0" + listing.encode(), tenant_id, packed) + packed)

    def page_after(self, tenant_id: str, listing: str, token: str) -> str:
        """Where the page of this token begins; the empty token means the first page.

        Raises:
            PageTokenInvalid: it is not one of this listing.
        """
        if not token:
            return ""
        raw = _decode(token)
        signature, packed = raw[:_SIGNATURE], raw[_SIGNATURE:]
        if not self._fits(signature, b"page\0" + listing.encode(), tenant_id, packed):
            raise PageTokenInvalid(field="page_token")
        return packed.decode()

    def _sign(self, purpose: bytes, tenant_id: str, packed: bytes) -> bytes:
        bound = b"\0".join((purpose, self._log_id.encode(), tenant_id.encode(), packed))
        signing = self._keyed.copy()
        signing.update(bound)
        return signing.digest()

    def _fits(self, signature: bytes, purpose: bytes, tenant_id: str, packed: bytes) -> bool:
        return hmac.compare_digest(signature, self._sign(purpose, tenant_id, packed))


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
