"""Sending: one attempt as the engine is asked for it, and what came of it."""

from gateway.domain.clocks import from_timestamp
from gateway.domain.identities import Names
from gateway.domain.lines import NotSent, OutcomeUnknown, Outgoing, Quoted, Refused, SendOutcome, Sent
from gateway.providers.web.names import names_of
from wagate.engine.v1 import engine_service_pb2 as pb


def send_request(session_id: str, fence: int, message: Outgoing) -> pb.SendMessageRequest:
    """The attempt, as the engine is asked for it."""
    return pb.SendMessageRequest(
        session_id=session_id,
        fence=fence,
        provider_message_id=message.provider_message_id,
        to_jid=message.to.jid(),
        content=message.content,
        quoted=_quoted(message.quoted) if message.quoted else None,
        mention_jids=[person.jid() for person in message.mentions],
    )


def outcome_of(response: pb.SendMessageResponse, to: Names) -> SendOutcome:
    """What came of an attempt at writing to these names."""
    match response.WhichOneof("outcome"):
        case "sent":
            sent = response.sent
            return Sent(from_timestamp(sent.send_time), names_of(sent.to_jid) or to)
        case "refused":
            return Refused(response.refused.provider_code)
        case "not_sent":
            return NotSent(response.not_sent.message)
        case "unknown":
            return OutcomeUnknown(response.unknown.message)
        case None:
            return OutcomeUnknown("the engine did not say what came of it")


def _quoted(quoted: Quoted) -> pb.QuotedMessage:
    return pb.QuotedMessage(
        provider_message_id=quoted.provider_message_id,
        author_jid=quoted.author.jid(),
        content=quoted.content,
    )
