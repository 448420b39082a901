"""A message goes to the engine in WhatsApp's names, and what came of it comes back."""

from datetime import UTC, datetime

import pytest

from gateway.domain.clocks import to_timestamp
from gateway.domain.identities import Names
from gateway.domain.lines import NotSent, OutcomeUnknown, Outgoing, Quoted, Refused, SendOutcome, Sent
from gateway.providers.web.sending import outcome_of, send_request
from wagate.engine.v1 import engine_service_pb2 as pb
from wagate.v1 import content_pb2

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ADA = Names(phone_number="+4915100000001")
HELLO = content_pb2.Content(text=content_pb2.Text(text="hello @"))


def test_what_surrounds_a_message_travels_beside_it_in_names_of_whatsapp() -> None:
    message = Outgoing(
        "3EB0A",
        Names("123@lid", "+4915100000001"),
        HELLO,
        quoted=Quoted("3EB0B", ADA, HELLO),
        mentions=(ADA,),
    )
    assert send_request("s_1", 4, message) == pb.SendMessageRequest(
        session_id="s_1",
        fence=4,
        provider_message_id="3EB0A",
        to_jid="123@lid",
        content=HELLO,
        quoted=pb.QuotedMessage(provider_message_id="3EB0B", author_jid="4915100000001@s.whatsapp.net", content=HELLO),
        mention_jids=["4915100000001@s.whatsapp.net"],
    )


Response = pb.SendMessageResponse


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (
            Response(sent=Response.Sent(send_time=to_timestamp(NOON), to_jid="123@lid")),
            Sent(NOON, Names(lid="123@lid")),
        ),
        (Response(sent=Response.Sent(send_time=to_timestamp(NOON))), Sent(NOON, ADA)),
        (Response(refused=Response.Refused(provider_code="463")), Refused("463")),
        (Response(not_sent=Response.NotSent(message="no socket")), NotSent("no socket")),
        (Response(unknown=Response.Unknown(message="no ack")), OutcomeUnknown("no ack")),
        (Response(), OutcomeUnknown("the engine did not say what came of it")),
    ],
)
def test_what_came_of_it_is_told(response: pb.SendMessageResponse, outcome: SendOutcome) -> None:
    assert outcome_of(response, ADA) == outcome
