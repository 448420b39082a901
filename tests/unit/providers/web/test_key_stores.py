"""Keys of sessions that are gone are removed, and never from under an engine."""

from __future__ import annotations

import fcntl
from pathlib import Path

from gateway.providers.web.key_stores import erase_store, kept_stores


def test_a_store_that_an_engine_has_open_is_left_alone_until_it_is_closed(tmp_path: Path) -> None:
    for name in ("s_one.db", "s_one.db-wal", "s_two.db"):
        (tmp_path / name).touch()
    with (tmp_path / "s_one.db.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert not erase_store(tmp_path, "s_one")
        assert sorted(kept_stores(tmp_path)) == ["s_one", "s_two"]
    assert erase_store(tmp_path, "s_one")
    assert [left.name for left in tmp_path.iterdir()] == ["s_two.db"]
    assert erase_store(tmp_path, "s_one")
