from __future__ import annotations

from gateway.domain.messages import Level, Receipt
from gateway.ports.unit_of_work import Store, UnitOfWork
from tests.conformance.store.making import TENANT, at
from tests.conformance.store.stage import NOON


def receipt(participant_id: str, level: Level.ValueType = Level.LEVEL_DELIVERED, hours: float = 0) -> Receipt:
    new = Receipt(TENANT, "m_1", participant_id)
    new.advance(level, at(hours))
    return new


async def test_a_receipt_is_stored_and_advanced(store: Store) -> None:
    await store.write(lambda unit: unit.receipts.save(receipt("p_a")))

    async def read_it(unit: UnitOfWork) -> None:
        known = await unit.receipts.get("m_1", "p_a")
        assert known is not None
        assert known.advance(Level.LEVEL_READ, at(1)) == [Level.LEVEL_READ]
        await unit.receipts.save(known)

    await store.write(read_it)
    known = await store.read(lambda unit: unit.receipts.get("m_1", "p_a"))
    assert known is not None
    assert (known.deliver_time, known.read_time, known.play_time) == (NOON, at(1), None)
    assert await store.read(lambda unit: unit.receipts.get("m_1", "p_b")) is None


async def test_receipts_are_listed_in_the_order_in_which_they_were_first_heard_of(store: Store) -> None:
    async def save_all(unit: UnitOfWork) -> None:
        for name in ("p_c", "p_a", "p_b"):
            await unit.receipts.save(receipt(name))

    await store.write(save_all)
    page = await store.read(lambda unit: unit.receipts.page("m_1", after_ordinal=0, limit=2))
    assert [one.participant_id for one in page] == ["p_c", "p_a"]
    rest = await store.read(lambda unit: unit.receipts.page("m_1", after_ordinal=page[-1].ordinal, limit=2))
    assert [one.participant_id for one in rest] == ["p_b"]


async def test_receipts_move_with_their_person_and_keep_the_earliest_moments(store: Store) -> None:
    async def save_all(unit: UnitOfWork) -> None:
        await unit.receipts.save(receipt("p_new", Level.LEVEL_READ, 2))
        await unit.receipts.save(receipt("p_old", Level.LEVEL_DELIVERED, 1))
        await unit.receipts.save(Receipt(TENANT, "m_2", "p_old", at(3)))
        await unit.messages.move_chat(TENANT, "p_old", "p_new")

    await store.write(save_all)
    page = await store.read(lambda unit: unit.receipts.page("m_1", after_ordinal=0, limit=9))
    assert [(one.participant_id, one.deliver_time, one.read_time) for one in page] == [("p_new", at(1), at(2))]
    moved = await store.read(lambda unit: unit.receipts.get("m_2", "p_new"))
    assert moved is not None
    assert moved.deliver_time == at(3)
