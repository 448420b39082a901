"""Each RPC says who may call it and what it does; each reason says its code and what to do about it."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest
from google.api.annotations_pb2 import http
from google.protobuf.descriptor import EnumValueDescriptor, FileDescriptor, MethodDescriptor
from google.rpc.code_pb2 import Code

import wagate.v1
from wagate.v1.error_reason_pb2 import ErrorReason
from wagate.v1.options_pb2 import Access, Remedy, access, code, remedy

SCOPE = re.compile(r"[a-z]+:[a-z]+")


def contract_files() -> Iterator[FileDescriptor]:
    for module in pkgutil.iter_modules(wagate.v1.__path__, "wagate.v1."):
        if module.name.endswith("_pb2"):
            yield importlib.import_module(module.name).DESCRIPTOR


RPCS = [rpc for file in contract_files() for service in file.services_by_name.values() for rpc in service.methods]
REASONS = [value for value in ErrorReason.DESCRIPTOR.values if value.number]
every_rpc = pytest.mark.parametrize("rpc", RPCS, ids=lambda rpc: rpc.full_name)
every_reason = pytest.mark.parametrize("reason", REASONS, ids=lambda reason: reason.name)


@every_rpc
def test_an_rpc_says_who_may_call_it_and_what_it_does(rpc: MethodDescriptor) -> None:
    granted = rpc.GetOptions().Extensions[access]
    assert SCOPE.fullmatch(granted.scope)
    assert granted.effect != Access.EFFECT_UNSPECIFIED


@every_rpc
def test_an_rpc_has_a_rest_path_unless_its_client_streams(rpc: MethodDescriptor) -> None:
    if rpc.client_streaming:
        return
    rule = rpc.GetOptions().Extensions[http]
    verb = rule.WhichOneof("pattern")
    assert verb
    assert getattr(rule, verb).startswith("/v1/")


@every_reason
def test_a_reason_says_its_code_and_its_remedy(reason: EnumValueDescriptor) -> None:
    options = reason.GetOptions()
    assert options.Extensions[code] != Code.OK
    assert options.Extensions[remedy] != Remedy.REMEDY_UNSPECIFIED
