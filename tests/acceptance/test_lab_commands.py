"""`wagate lab`: what goes wrong is told by commands, and the lab does as it is told."""

from __future__ import annotations

import pytest
from grpc import StatusCode
from grpc.aio import AioRpcError

from gateway.commands.lab import lab as commands
from tests.stage.lab import Kind, Lab
from tests.stage.watching import Watch
from wagate.lab.v1.oracle_pb2 import OracleEntry


async def tell(lab: Lab, *words: str) -> None:
    """Do what a command line says."""
    await commands.run_async([*words, "--at", lab.control], exit_on_error=False, result_action="return_value")


async def happened(told: Watch[OracleEntry], kind: Kind.ValueType, phone_number: str) -> OracleEntry:
    """Wait until the lab's log tells it of an account."""
    return await told.until(lambda entry: entry.kind == kind and entry.account == phone_number)


async def test_faults_and_restrictions_are_told_by_commands(lab: Lab) -> None:
    ada, bob = await lab.person("Ada"), await lab.person("Bob")
    async with lab.oracle() as told, bob.inbox() as heard:
        await tell(lab, "lock", ada.phone_number, "10m")
        with pytest.raises(AioRpcError) as refused:
            await ada.say(bob.phone_number, "Not to you")
        assert refused.value.code() is StatusCode.FAILED_PRECONDITION
        assert (await happened(told, Kind.KIND_REFUSED, ada.phone_number)).refuse_code == 463
        await tell(lab, "lift", ada.phone_number)
        await tell(lab, "fault", bob.phone_number, "--delay-to-device", "200ms", "--duplicate-count", "1")
        await tell(lab, "drain", bob.phone_number, "--told")
        await tell(lab, "clock", "--behind", "1h")
        await tell(lab, "say", ada.person_id, bob.phone_number, "Text", "--times", "2")
        assert [(await heard.next()).text for _ in range(2)] == ["Text 1", "Text 2"]
        await tell(lab, "clock")
        await tell(lab, "fault", bob.phone_number)
        await tell(lab, "drop", bob.phone_number, "--last-word", "error", "--error-code", "503")
        await happened(told, Kind.KIND_LOGOUT, bob.phone_number)
        await happened(told, Kind.KIND_LOGIN, bob.phone_number)
        await tell(lab, "ban", bob.phone_number, "1h", "--reason-code", "104")
        await happened(told, Kind.KIND_LOGOUT, bob.phone_number)
        await tell(lab, "lift", bob.phone_number)
        await tell(lab, "online", bob.person_id)
        await tell(lab, "outdate", bob.phone_number)
        await happened(told, Kind.KIND_LOGOUT, bob.phone_number)
        await tell(lab, "fault", bob.phone_number)


@pytest.mark.parametrize(
    "words",
    [
        ("ban", "+447700900000", "0s"),
        ("drop", "+447700900000", "--last-word", "error"),
    ],
)
async def test_what_the_lab_refuses_ends_with_a_sentence(
    words: tuple[str, ...], lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    await lab.account()
    with pytest.raises(SystemExit) as ended:
        await tell(lab, *words)
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("wagate lab: INVALID_ARGUMENT: ")
