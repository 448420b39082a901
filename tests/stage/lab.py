"""A lab of the tests' own: a WhatsApp on loopback, with persons and an oracle."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from grpc import aio

from tests.stage.children import Child, child
from tests.stage.persons import Naming, Person
from tests.stage.programs import built
from tests.stage.watching import Watch, watching
from wagate.lab.v1 import lab_service_pb2 as pb
from wagate.lab.v1 import oracle_pb2
from wagate.lab.v1.lab_service_pb2_grpc import LabServiceStub

if TYPE_CHECKING:
    from wagate.lab.v1.lab_service_pb2_grpc import LabServiceAsyncStub

Kind = oracle_pb2.OracleEntry.Kind


class Lab:
    """The lab. `stub` is all that it can be told, `control` is where; `environment` tells a gateway to speak to it."""

    def __init__(self, stub: LabServiceAsyncStub, process: Child, ready: dict[str, str]) -> None:
        self.stub = stub
        self.process = process
        self.control = ready["control"]
        self.environment = {
            "WAGATE_LAB__ADDRESS": ready["address"],
            "WAGATE_LAB__ROOT_KEY_HEX": ready["root_key_hex"],
            "WAGATE_LAB__CA_FILE": ready["ca_pem_file"],
        }

    async def account(self, push_name: str = "Shop", *, naming: Naming = Naming.LID_WITH_PHONE) -> pb.Account:
        """A new account, whose phone holds keys and does nothing by itself."""
        request = pb.CreateAccountRequest(push_name=push_name, naming=naming.value)
        return (await self.stub.CreateAccount(request)).account

    async def person(self, name: str, *, phone_number: str = "", naming: Naming = Naming.LID_WITH_PHONE) -> Person:
        """A person who chats: of a new account, or on one that there is."""
        request = pb.CreatePersonRequest(name=name, phone_number=phone_number, naming=naming.value)
        return Person(self.stub, await self.stub.CreatePerson(request))

    async def scan(self, account: pb.Account, qr_text: str) -> int:
        """Hold an account's phone in front of a QR; the number of the device that was linked."""
        request = pb.ScanQrRequest(phone_number=account.phone_number, qr_text=qr_text)
        return (await self.stub.ScanQr(request)).device

    async def enter(self, account: pb.Account, code: str) -> int:
        """Type a code on an account's phone; the number of the device that was linked."""
        request = pb.EnterPairingCodeRequest(phone_number=account.phone_number, code=code)
        return (await self.stub.EnterPairingCode(request)).device

    async def unlink(self, account: pb.Account) -> None:
        """Remove all devices on an account's phone."""
        await self.stub.UnlinkDevice(pb.UnlinkDeviceRequest(phone_number=account.phone_number))

    async def fault(self, account: pb.Account, fault: pb.SetFaultRequest.Fault | None = None) -> None:
        """Let something go wrong for an account's devices from now on, or nothing any more."""
        await self.stub.SetFault(pb.SetFaultRequest(phone_number=account.phone_number, fault=fault))

    @asynccontextmanager
    async def oracle(self) -> AsyncIterator[Watch[oracle_pb2.OracleEntry]]:
        """What the lab accepts and delivers, from now on."""
        newest = 0
        async for told in self.stub.WatchOracle(pb.WatchOracleRequest(until_now=True)):
            newest = told.entry.position
        stream = self.stub.WatchOracle(pb.WatchOracleRequest(after_position=newest))
        async with watching(stream, lambda told: told.entry) as entries:
            yield entries


@asynccontextmanager
async def lab_process(folder: Path, entering: Sequence[str] = (), *, world: Path | None = None) -> AsyncIterator[Lab]:
    """Start a lab that keeps everything in this folder, from a saved world if one is given. `entering` begins its
    command, as a gateway's.
    """
    folder.mkdir(parents=True)
    command = [*entering, str(built("wagate-lab")), "--exit-with-parent", "--log-level", "info"]
    command += ["--listen", "127.0.0.1:0", "--control", f"unix:{folder}/control.sock", "--data", f"{folder}/data"]
    command += ["--world", str(world)] if world else []
    async with child(*command, log=folder / "lab.log") as process:
        ready = json.loads(await process.said())
        async with aio.insecure_channel(f"unix:{folder}/control.sock") as channel:
            stub = LabServiceStub(channel)
            described = await stub.GetLab(pb.GetLabRequest(), wait_for_ready=True, timeout=10)
            assert described.process_id == process.process_id, "another lab than the one that was started answers"
            yield Lab(stub, process, ready)
