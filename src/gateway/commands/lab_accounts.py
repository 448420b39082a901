"""Accounts of a lab: made, paired, and ended."""

from __future__ import annotations

from typing import Final, Literal

from gateway.commands.lab_control import DEFAULT, At, describe, lab_at
from wagate.lab.v1 import lab_service_pb2 as pb

Naming = Literal["lid-and-phone", "lid", "phone-and-lid", "phone"]

NAMINGS: Final = {
    "lid-and-phone": pb.CreateAccountRequest.NAMING_UNSPECIFIED,
    "lid": pb.CreateAccountRequest.NAMING_LID_ONLY,
    "phone-and-lid": pb.CreateAccountRequest.NAMING_PHONE_WITH_LID,
    "phone": pb.CreateAccountRequest.NAMING_PHONE_ONLY,
}


async def account(
    phone_number: str = "", *, name: str = "", naming: Naming = "lid-and-phone", at: At = DEFAULT
) -> None:
    """Make an account; its number is made too, unless it is given."""
    request = pb.CreateAccountRequest(phone_number=phone_number, push_name=name, naming=NAMINGS[naming])
    async with lab_at(at) as stub:
        print(describe((await stub.CreateAccount(request)).account))


async def accounts(*, at: At = DEFAULT) -> None:
    """List all accounts with their devices."""
    async with lab_at(at) as stub:
        for one in (await stub.ListAccounts(pb.ListAccountsRequest())).accounts:
            print(describe(one))


async def delete(phone_number: str, *, at: At = DEFAULT) -> None:
    """End an account."""
    async with lab_at(at) as stub:
        await stub.DeleteAccount(pb.DeleteAccountRequest(phone_number=phone_number))


async def scan(phone_number: str, qr_text: str, *, at: At = DEFAULT) -> None:
    """Hold the account's phone in front of a QR."""
    async with lab_at(at) as stub:
        answer = await stub.ScanQr(pb.ScanQrRequest(phone_number=phone_number, qr_text=qr_text))
    print(f"linked as device {answer.device}")


async def code(phone_number: str, code: str, *, at: At = DEFAULT) -> None:
    """Type a pairing code on the account's phone."""
    async with lab_at(at) as stub:
        answer = await stub.EnterPairingCode(pb.EnterPairingCodeRequest(phone_number=phone_number, code=code))
    print(f"linked as device {answer.device}")


async def unlink(phone_number: str, *, device: int = 0, at: At = DEFAULT) -> None:
    """Remove one device on the phone, or all."""
    async with lab_at(at) as stub:
        await stub.UnlinkDevice(pb.UnlinkDeviceRequest(phone_number=phone_number, device=device))


COMMANDS: Final = (account, accounts, delete, scan, code, unlink)
