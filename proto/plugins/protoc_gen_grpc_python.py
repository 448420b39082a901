"""Lets buf run the gRPC generator of grpcio-tools as a local plugin.

grpcio-tools links the generator into its own protoc and ships no protoc-gen-grpc_python executable, so buf
cannot call it directly. This reads buf's request, hands the same descriptors to that protoc, and returns the
files it wrote.
"""

import sys
import tempfile
from pathlib import Path

from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc


def generate(request: CodeGeneratorRequest, workplace: Path) -> CodeGeneratorResponse:
    """Answers one request of buf; raises SystemExit if protoc refuses, whose message is then on stderr."""
    descriptors = workplace / "descriptors.binpb"
    descriptors.write_bytes(FileDescriptorSet(file=request.proto_file).SerializeToString())
    out = workplace / "out"
    out.mkdir()
    options = f"{request.parameter}:" if request.parameter else ""
    arguments = [f"--descriptor_set_in={descriptors}", f"--grpc_python_out={options}{out}"]
    if protoc.main(["protoc", *arguments, *request.file_to_generate]) != 0:
        raise SystemExit("grpc_tools.protoc failed; its message is above")
    response = CodeGeneratorResponse(supported_features=CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL)
    for path in sorted(out.rglob("*.py")):
        response.file.add(name=path.relative_to(out).as_posix(), content=path.read_text())
    return response


def main() -> None:
    request = CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
    with tempfile.TemporaryDirectory() as workplace:
        response = generate(request, Path(workplace))
    sys.stdout.buffer.write(response.SerializeToString())


if __name__ == "__main__":
    main()
