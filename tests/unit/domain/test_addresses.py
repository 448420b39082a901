import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.addresses import Address, Form, parse_address
from gateway.domain.errors import AddressInvalid
from gateway.domain.identities import Names
from gateway.domain.ids import IDENTITY, make_id

AN_ID = make_id(IDENTITY)


@pytest.mark.parametrize(
    ("text", "form", "value"),
    [
        ("+4915112345678", Form.PHONE_NUMBER, "+4915112345678"),
        ("4915112345678", Form.PHONE_NUMBER, "+4915112345678"),
        ("4915112345678@s.whatsapp.net", Form.PHONE_NUMBER, "+4915112345678"),
        ("123456", Form.PHONE_NUMBER, "+123456"),
        ("123456789012345", Form.PHONE_NUMBER, "+123456789012345"),
        ("123@lid", Form.LID, "123@lid"),
        (AN_ID, Form.IDENTITY_ID, AN_ID),
        ("@ada", Form.USERNAME, "ada"),
        ("@ada.lovelace_1815", Form.USERNAME, "ada.lovelace_1815"),
        ("US.13491208655302741918", Form.BUSINESS_USER_ID, "US.13491208655302741918"),
        ("120363025246125486@g.us", Form.GROUP, "120363025246125486@g.us"),
        ("4915112345678-1530000000@g.us", Form.GROUP, "4915112345678-1530000000@g.us"),
        ("12036@newsletter", Form.CHANNEL, "12036@newsletter"),
        ("status@broadcast", Form.STORY_FEED, "status@broadcast"),
    ],
)
def test_each_form_of_the_table_is_read_as_what_it_names(text: str, form: Form, value: str) -> None:
    assert parse_address(text) == Address(form, value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "+",
        "+49 151 12345678",
        " +4915112345678",
        "+4915112345678\n",
        "0151 12345678",
        "015112345678",
        "+12345",
        "+1234567890123456",
        "++4915112345678",
        "٤٩١٥١١٢٣٤٥٦٧٨",
        "4915112345678:3@s.whatsapp.net",
        "+4915112345678@s.whatsapp.net",
        "015112345678@s.whatsapp.net",
        "123:1@lid",
        "123.1@lid",
        "1-2@lid",
        "1-2@newsletter",
        "-1@g.us",
        "abc@g.us",
        "120363025246125486@g.us/x",
        "123@broadcast",
        "status@Broadcast",
        "p_",
        "p_1",
        AN_ID + "0",
        AN_ID.upper(),
        AN_ID.replace("p_", "m_"),
        "@ab",
        "@a b c",
        "@ada-lovelace",
        "@" + "a" * 36,
        "us.13491208655302741918",
        "US13491208655302741918",
        "ada@example.org",
    ],
)
def test_any_other_form_is_no_address_and_the_error_names_the_field(text: str) -> None:
    with pytest.raises(AddressInvalid) as caught:
        parse_address(text, field="to")
    assert caught.value.field == "to"


SERVERS = ("s.whatsapp.net", "lid", "g.us", "newsletter", "broadcast", "c.us")
NEARLY = st.one_of(
    st.text(max_size=60),
    st.from_regex(r"\+?[0-9]{1,17}", fullmatch=True),
    st.builds("{}@{}".format, st.from_regex(r"[0-9:.-]{0,20}", fullmatch=True), st.sampled_from(SERVERS)),
    st.builds("@{}".format, st.from_regex(r"[A-Za-z0-9._-]{0,40}", fullmatch=True)),
    st.builds(
        "{}.{}".format, st.sampled_from(("DE", "de", "USA")), st.from_regex(r"[0-9A-Za-z.]{0,130}", fullmatch=True)
    ),
    st.just(AN_ID),
)


@given(NEARLY)
def test_whatever_is_written_is_an_address_or_refused_as_none(text: str) -> None:
    try:
        address = parse_address(text)
    except AddressInvalid:
        return
    assert not set(address.value) & set("/: \n")
    assert address.is_place == (address.form in {Form.GROUP, Form.CHANNEL, Form.STORY_FEED})


@given(NEARLY)
def test_what_is_canonical_is_read_as_itself(text: str) -> None:
    try:
        address = parse_address(text)
    except AddressInvalid:
        return
    written = "@" + address.value if address.form is Form.USERNAME else address.value
    assert parse_address(written) == address


@given(st.from_regex(r"[1-9][0-9]{5,14}", fullmatch=True))
def test_a_number_with_plus_without_it_and_as_a_jid_is_one_address(digits: str) -> None:
    assert parse_address(digits) == parse_address("+" + digits) == parse_address(Names(phone_number="+" + digits).jid())
