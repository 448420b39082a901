"""Logs and numbers: how the gateway is watched."""

from gateway.observability.logs import start_logging
from gateway.observability.metrics import PrometheusMeter
from gateway.observability.redaction import redact, rendered

__all__ = ["PrometheusMeter", "redact", "rendered", "start_logging"]
