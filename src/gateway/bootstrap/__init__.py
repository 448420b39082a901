"""The composition root: where concrete things are named and joined, for each role. It knows everything, and is known
by nobody.
"""

from gateway.bootstrap.ground import is_sqlite, store_url
from gateway.bootstrap.roles import (
    NotForAFleet,
    RunningGateway,
    RunningWorker,
    check_for_a_fleet,
    running_api,
    running_gateway,
    running_worker,
)
from gateway.bootstrap.speaking import ProviderNotEnabled

__all__ = [
    "NotForAFleet",
    "ProviderNotEnabled",
    "RunningGateway",
    "RunningWorker",
    "check_for_a_fleet",
    "is_sqlite",
    "running_api",
    "running_gateway",
    "running_worker",
    "store_url",
]
