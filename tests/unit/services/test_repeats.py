"""What a request says beforehand of its unit."""

from __future__ import annotations

from gateway.domain.access import DEFAULT_TENANT
from gateway.domain.requests import RequestKey
from gateway.ports.unit_of_work import NOTHING, Prefetch
from gateway.services.repeats import Repeat
from tests.unit.services.house import House
from wagate.v1 import message_service_pb2 as message_pb


def repeat(house: House, session_id: str, request_id: str) -> Repeat:
    request = message_pb.RetryMessageRequest(session_id=session_id, request_id=request_id)
    return Repeat(house.call(), "RetryMessage", session_id, request_id, request)


async def test_a_request_says_its_session_its_id_and_its_messages(house: House) -> None:
    key = RequestKey(DEFAULT_TENANT, "RetryMessage", "sales", "r-1")
    wanted = Prefetch(sessions=((DEFAULT_TENANT, "sales"),), requests=(key,), messages=("m_1",))
    assert repeat(house, "sales", "r-1").needs("m_1") == wanted


async def test_a_request_of_no_session_and_no_id_says_nothing(house: House) -> None:
    assert repeat(house, "", "").needs() == NOTHING
