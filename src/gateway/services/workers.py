"""Workers, as operators see them: listed, and drained before they are stopped."""

from __future__ import annotations

from gateway.domain.access import Call
from gateway.domain.errors import WorkerNotFound
from gateway.domain.workers import Worker
from gateway.ports.queue import worker_bell
from gateway.ports.unit_of_work import Store, UnitOfWork
from gateway.services.pages import Pages
from gateway.services.repeats import Repeat
from wagate.v1 import system_service_pb2 as pb
from wagate.v1 import worker_pb2


class Workers:
    """The use cases of SystemService that concern workers."""

    def __init__(self, store: Store, pages: Pages) -> None:
        self._store = store
        self._pages = pages

    async def list(self, call: Call, request: pb.ListWorkersRequest) -> pb.ListWorkersResponse:
        """Show workers in the order of their ids."""
        page = self._pages.read(call, "ListWorkers", request)

        async def work(uow: UnitOfWork) -> pb.ListWorkersResponse:
            found = await uow.workers.page(after=page.after, limit=page.size + 1)
            share = (await uow.workers.roll()).share
            shown = [worker.to_proto(uow.now, share) for worker in found[: page.size]]
            token = page.token(shown[-1].worker_id) if len(found) > page.size else ""
            return pb.ListWorkersResponse(workers=shown, next_page_token=token)

        return await self._store.read(work)

    async def are_at_work(self) -> bool:
        """Whether any worker takes sessions."""
        return bool((await self._store.read(lambda uow: uow.workers.roll())).serving)

    async def drain(self, call: Call, request: pb.DrainWorkerRequest) -> pb.DrainWorkerResponse:
        """Let a worker give its sessions away."""
        repeat = Repeat(call, "DrainWorker", "", request.request_id, request)

        async def work(uow: UnitOfWork) -> pb.DrainWorkerResponse:
            earlier = await repeat.earlier(uow)
            worker = await _find(uow, request.worker_id)
            if earlier is None:
                if not worker.drain_wanted:
                    await uow.workers.want_drain(worker.worker_id)
                await repeat.remember(uow, worker.worker_id)
                uow.ring(worker_bell(worker.worker_id))
                worker = await _find(uow, request.worker_id)
            return pb.DrainWorkerResponse(worker=await _shown(uow, worker), repeated_request=earlier is not None)

        return await self._store.write(work, repeat.needs())


async def _find(uow: UnitOfWork, worker_id: str) -> Worker:
    worker = await uow.workers.get(worker_id)
    if worker is None:
        raise WorkerNotFound(field="worker_id", worker_id=worker_id)
    return worker


async def _shown(uow: UnitOfWork, worker: Worker) -> worker_pb2.Worker:
    return worker.to_proto(uow.now, (await uow.workers.roll()).share)
