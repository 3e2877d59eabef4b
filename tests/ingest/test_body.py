"""Is JSON from strangers refused before it can harm, and kept whole otherwise?"""

import pytest

from portal.errors import Invalid
from portal.ingest.body import DEEPEST, parse_object


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[1]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'{"a": NaN}', "NaN is not a JSON number"),
        (b'{"a": -Infinity}', "-Infinity is not a JSON number"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "number that is too large"),
        (b'{"a": "\xff"}', "not UTF-8"),
        ('{"a": "ä"}'.encode("utf-16"), "not UTF-8"),
        (b'{"a": 1, "a": 2}', "“a” is given twice"),
        (b'{"a": {"b": 1, "b": 1}}', "“b” is given twice"),
        (b'{"a":' * 60 + b"1" + b"}" * 60, "nested deeper"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested deeper"),
    ],
)
def test_what_is_no_proper_json_object_is_refused_in_words(raw: bytes, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        parse_object(raw)


def test_what_cannot_be_stored_is_taken_out_of_every_text() -> None:
    raw = rb'{"a\u0000": ["x\u0000y", {"b": "\ud800z", "c": "\ud83d\ude00"}]}'
    assert parse_object(raw) == {"a": ["xy", {"b": "z", "c": "😀"}]}


def test_a_byte_order_mark_as_some_shells_send_it_does_no_harm() -> None:
    assert parse_object(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_nesting_up_to_the_limit_is_fine() -> None:
    lists = DEEPEST - 2
    raw = b'{"a": ' + b"[" * lists + b"1" + b"]" * lists + b"}"
    assert parse_object(raw)["a"]
