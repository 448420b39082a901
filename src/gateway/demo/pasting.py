"""Lines to paste while the demo stays up."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from textwrap import dedent

from gateway.demo.stage import Stage
from gateway.demo.story import SESSION, Ending


def lines_to_paste(stage: Stage, ending: Ending) -> str:
    """What can be tried now, in a shell and in Python."""
    request = {"session_id": SESSION, "to": ending.anna_number, "content": {"text": {"text": "And again"}}}
    return dedent(
        f"""
        The gateway stays up; Ctrl-C ends it. Its logs are in {stage.folder}. In another terminal:

          # what is served, and all events so far and to come
          grpcurl -plaintext {stage.grpc} list
          grpcurl -plaintext -d '{{"earliest": true}}' {stage.grpc} wagate.v1.EventService/StreamEvents

          # a message to Anna
          grpcurl -plaintext -d '{json.dumps(request)}' \\
            {stage.grpc} wagate.v1.MessageService/SendMessage

          # as Anna: what she received, and an answer
          {_beside_python("wagate")} lab inbox {ending.anna_id} --at {stage.lab_control}
          {_beside_python("wagate")} lab say {ending.anna_id} {ending.shop_number} 'Hello shop' --at {stage.lab_control}

          # the numbers
          curl http://{stage.metrics}/metrics

        In `{_beside_python("python")}`:

        import grpc
        from wagate.v1.message_service_pb2 import SendMessageRequest
        from wagate.v1.message_service_pb2_grpc import MessageServiceStub
        messages = MessageServiceStub(grpc.insecure_channel("{stage.grpc}"))
        request = SendMessageRequest(session_id="{SESSION}", to="{ending.anna_number}")
        request.content.text.text = "From Python"
        print(messages.SendMessage(request))
        """
    )


def _beside_python(program: str) -> str:
    """A program of the environment that this one runs in, as it can be typed in this folder."""
    path, here = Path(sys.executable).with_name(program), Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
