"""What a lab saw, and what it keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from gateway.commands.lab_control import DEFAULT, At, lab_at
from wagate.lab.v1 import lab_service_pb2 as pb
from wagate.lab.v1.oracle_pb2 import OracleEntry


async def info(*, at: At = DEFAULT) -> None:
    """Say where clients connect, and by which key they trust the lab."""
    async with lab_at(at) as stub:
        answer = await stub.GetLab(pb.GetLabRequest())
    print(f"address {answer.address}\nroot key {answer.root_key_hex}\nprocess {answer.process_id}")


async def oracle(*, after: int = 0, follow: bool = False, at: At = DEFAULT) -> None:
    """Print the log of everything accepted and delivered."""
    request = pb.WatchOracleRequest(after_position=after, until_now=not follow)
    async with lab_at(at) as stub:
        async for told in stub.WatchOracle(request):
            print(_line(told.entry))


async def stats(*, at: At = DEFAULT) -> None:
    """Count sockets, and what the lab did not understand."""
    async with lab_at(at) as stub:
        answer = await stub.GetStats(pb.GetStatsRequest())
    print(f"up {answer.uptime.ToTimedelta()}, {answer.connections} connections")
    print(f"{answer.dropped_to_phones} messages to phones dropped")
    for name, count in sorted(answer.unanswered_iqs.items()):
        print(f"{count} questions {name} not understood")


async def save(folder: Path, *, at: At = DEFAULT) -> None:
    """Save the world into a folder, from which `wagate lab serve --world FOLDER` starts."""
    async with lab_at(at) as stub:
        await stub.SaveWorld(pb.SaveWorldRequest(folder=str(folder.resolve())))


def _line(entry: OracleEntry) -> str:
    kind = OracleEntry.Kind.Name(entry.kind).removeprefix("KIND_").lower()
    words = [f"{entry.position}", kind, f"{entry.account}:{entry.device}"]
    words += [f"peer {entry.peer}"] if entry.peer else []
    words += [f"in {entry.to_jid}"] if entry.to_jid.endswith("@g.us") else []
    words += [f"{entry.stanza} {entry.provider_message_id}"] if entry.provider_message_id else []
    words += [f"refused with {entry.refuse_code}"] if entry.refuse_code else []
    return "  ".join(words)


COMMANDS: Final = (info, oracle, stats, save)
