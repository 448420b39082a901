"""The URL of a database, for programs that know nothing of SQLAlchemy."""

from __future__ import annotations

import pytest

from gateway.adapters.sql.libpq import libpq_url


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (
            "postgresql+asyncpg://shop:pw@db.example:5433/wagate",
            "postgresql://shop:pw@/wagate?host=db.example&port=5433",
        ),
        ("postgresql+asyncpg://shop@/wagate?host=/run/pg", "postgresql://shop@/wagate?host=/run/pg"),
        ("postgresql+asyncpg:///wagate?host=/run/pg&port=5433", "postgresql:///wagate?host=/run/pg&port=5433"),
        (
            "postgresql+asyncpg://shop:p%40ss%2Fword%3F@db/wagate?ssl=require&prepared_statement_cache_size=5",
            "postgresql://shop:p%40ss%2Fword%3F@/wagate?host=db&sslmode=require",
        ),
        ("postgresql+asyncpg://u@/db?host=a:1&host=b:2", "postgresql://u@/db?host=a,b&port=1,2"),
        ("postgresql+asyncpg://u@[::1]:5432/db", "postgresql://u@/db?host=%3A%3A1&port=5432"),
    ],
)
def test_a_url_says_the_same_to_other_programs(said: str, read: str) -> None:
    assert libpq_url(said) == read
