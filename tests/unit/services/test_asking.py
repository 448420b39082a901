"""Asking a session's owner."""

from __future__ import annotations

import pytest

from gateway.domain.errors import OwnerUnavailable
from tests.unit.services.house import House
from wagate.v1 import contact_service_pb2 as pb
from wagate.v1 import error_reason_pb2 as reasons


async def test_a_session_that_nobody_owns_just_now_cannot_be_asked(house: House) -> None:
    await house.linked("sales")
    request = pb.CheckContactsRequest(session_id="sales", phone_numbers=["+4915112345678"])
    with pytest.raises(OwnerUnavailable) as error:
        await house.contacts.check(house.call(), request)
    assert error.value.reason == reasons.ERROR_REASON_OWNER_UNAVAILABLE
    assert error.value.facts == {"session_id": "sales"}
    assert error.value.retry_after
