"""Pages of lists: sizes as the contract bounds them, tokens bound to tenant, RPC and filter."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from google.protobuf.message import Message as Proto

from gateway.domain.access import Call
from gateway.domain.cursors import Signer
from wagate.v1.message_service_pb2 import ListMessagesRequest, ListReceiptsRequest
from wagate.v1.session_service_pb2 import ListSessionsRequest
from wagate.v1.system_service_pb2 import ListWorkersRequest

DEFAULT_SIZE: Final = 50
LARGEST_SIZE: Final = 500


def page_size(asked: int) -> int:
    """How many items a page holds: 0 means 50, above 500 means 500."""
    return min(asked, LARGEST_SIZE) or DEFAULT_SIZE


PagedRequest = ListSessionsRequest | ListMessagesRequest | ListReceiptsRequest | ListWorkersRequest
"""A request for a page of a list, its filter beside `page_size` and `page_token`."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page to be read: at most `size` items behind `after`, which is empty for the first page."""

    size: int
    after: str
    _signer: Signer
    _tenant_id: str
    _listing: str

    def token(self, last: str) -> str:
        """The token of the page behind this item."""
        return self._signer.page_token(self._tenant_id, self._listing, last)


class Pages:
    """Reads page tokens and makes them."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def read(self, call: Call, rpc: str, request: PagedRequest) -> Page:
        """The page that a List request asks for.

        Raises:
            PageTokenInvalid: the token is another listing's.
        """
        listing = rpc + ":" + _filter_digest(request)
        after = self._signer.page_after(call.tenant_id, listing, request.page_token)
        return Page(page_size(request.page_size), after, self._signer, call.tenant_id, listing)


def _filter_digest(request: Proto) -> str:
    which = type(request)()
    which.CopyFrom(request)
    which.ClearField("page_size")
    which.ClearField("page_token")
    return blake2b(which.SerializeToString(deterministic=True), digest_size=8).hexdigest()
