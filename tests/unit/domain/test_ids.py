from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.ids import EVENT, IDENTITY, MESSAGE, SESSION_ID, is_identity_id, make_etag, make_id


@given(st.sampled_from((MESSAGE, IDENTITY, EVENT, SESSION_ID)), st.integers(2, 300))
def test_ids_made_one_after_another_sort_in_that_order_and_differ(prefix: str, count: int) -> None:
    made = [make_id(prefix) for _ in range(count)]
    assert made == sorted(set(made))


def test_ids_made_by_many_at_once_differ() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(chain(*pool.map(lambda _: [make_id(MESSAGE) for _ in range(1000)], range(8))))
    assert len(set(made)) == len(made)


def test_an_id_says_what_it_is_and_can_stand_in_a_path() -> None:
    made = make_id(MESSAGE)
    assert made.startswith("m_")
    assert len(made) == 28
    assert not set(made) & set("/:@+ ")


def test_only_ids_of_persons_are_taken_for_such() -> None:
    assert is_identity_id(make_id(IDENTITY))
    assert not is_identity_id(make_id(MESSAGE))
    assert not is_identity_id(make_id(IDENTITY)[:-1])
    assert not is_identity_id(make_id(IDENTITY).removeprefix(IDENTITY))
    assert not is_identity_id("p_" + "u" * 26)


@given(st.text(max_size=40))
def test_no_text_is_an_id_by_accident(text: str) -> None:
    assert not is_identity_id(text)


def test_no_etag_comes_twice() -> None:
    made = [make_etag() for _ in range(1000)]
    assert len(set(made)) == 1000
