from gateway.domain.access import EVERY_SCOPE, Call, Caller


def test_a_key_holds_the_scopes_it_was_given_and_no_others() -> None:
    caller = Caller("default", frozenset({"messages:read"}))
    assert caller.holds("messages:read")
    assert not caller.holds("messages:send")
    assert not caller.holds(EVERY_SCOPE)


def test_a_key_for_everything_holds_every_scope() -> None:
    assert Caller("default", frozenset({EVERY_SCOPE})).holds("sessions:pair")


def test_the_tenant_follows_from_the_caller() -> None:
    assert Call(Caller("t_1", frozenset()), "c-1", 0.0).tenant_id == "t_1"
