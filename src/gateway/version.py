"""Which version of the gateway this is."""

from importlib.metadata import version
from typing import Final

VERSION: Final = version("wagate")
