"""People: what becomes of what is written to a number, as its ending says, or a script."""

from dataclasses import dataclass
from typing import Final

from gateway.domain.identities import Names
from gateway.domain.lines import NotSent, OutcomeUnknown, Refused, SendOutcome


@dataclass(frozen=True, slots=True)
class Person:
    """Who has a number. `outcome` is what comes of each attempt at writing there, or, `once`, of each message's first;
    None means that WhatsApp takes it. It says so after `delay` seconds.
    """

    on_whatsapp: bool = True
    outcome: SendOutcome | None = None
    once: bool = False
    delay: float = 0
    delivers: bool = True
    reads: bool = False
    echoes: bool = False
    directs: bool = False
    pairs: bool = True


BY_ENDING: Final = {
    "000": Person(directs=True),
    "200": Person(reads=True),
    "202": Person(delivers=False),
    "222": Person(reads=True, echoes=True),
    "404": Person(on_whatsapp=False, outcome=Refused("not-on-whatsapp")),
    "408": Person(outcome=OutcomeUnknown("WhatsApp's answer was lost."), once=True, delivers=False, pairs=False),
    "463": Person(outcome=Refused("463")),
    "479": Person(outcome=Refused("479")),
    "503": Person(outcome=NotSent("The message did not leave."), once=True),
    "504": Person(delay=3),
}
"""By the last three digits of a number that begins with +999, which is the code of no country."""


def person_of(phone_number: str) -> Person:
    """Who has a number, unless a script says otherwise."""
    return BY_ENDING.get(phone_number[-3:], Person()) if phone_number.startswith("+999") else Person()


def names_of(phone_number: str) -> Names:
    """What WhatsApp calls a person. The LID is made of the number's digits."""
    return Names(f"1{phone_number[1:]}@lid", phone_number)


def number_of(names: Names) -> str:
    """The number of a person."""
    return names.phone_number or "+" + names.lid.removesuffix("@lid")[1:]
