"""RPCs: what the contract says of each, read from its descriptors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from wagate.v1 import options_pb2

Effect = options_pb2.Access.Effect


class ContractIncomplete(Exception):
    """The contract lacks something that the server needs to serve it: nothing is served."""


@dataclass(frozen=True, slots=True)
class Rpc:
    """One RPC. `serve` is the servicer's method; `read` makes its request from bytes, and is None where the request is
    no single message; an empty `scope` means that any caller who is known may call.
    """

    path: str
    serve: Callable[[Any, Any], Any]
    streams: bool
    scope: str = ""
    read: Callable[[bytes], Message] | None = None

    @property
    def name(self) -> str:
        """Service and method without the package, for logs and numbers."""
        return self.path.rpartition(".")[2]


def rpcs_of(service: ServiceDescriptor, servicer: object) -> Iterator[Rpc]:
    """The RPCs of a service.

    Raises:
        ContractIncomplete: one of them does not say who may call it and what it does, or takes a stream.
    """
    for method in service.methods:
        access = method.GetOptions().Extensions[options_pb2.access]
        if not access.scope or access.effect == Effect.EFFECT_UNSPECIFIED:
            raise ContractIncomplete(f"{method.full_name} lacks its wagate.v1.access")
        if method.client_streaming:
            raise ContractIncomplete(f"{method.full_name} takes a stream, which is not served")
        yield Rpc(
            path=f"/{service.full_name}/{method.name}",
            serve=getattr(servicer, method.name),
            streams=method.server_streaming,
            scope=access.scope,
            read=_reader(method),
        )


def writes(service: ServiceDescriptor) -> bool:
    """Whether a service has RPCs that do more than read."""
    effects = (method.GetOptions().Extensions[options_pb2.access].effect for method in service.methods)
    return any(effect != Effect.EFFECT_READ for effect in effects)


def _reader(method: MethodDescriptor) -> Callable[[bytes], Message]:
    return GetMessageClass(method.input_type).FromString
