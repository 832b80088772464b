"""URLs: what is shown of them, filling in variables, and identifying offers."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.net.urls import (
    MissingVariableError,
    concealed,
    filled_in,
    offer,
    same_offer,
    shown,
    variables,
    without_trackers,
)

PASSWORDS = st.text(alphabet=string.ascii_letters + string.digits + "$!*'()@:;,.%-_~+={}", min_size=8)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://ann:secret@example.org/a?b=1#c", "https://***@example.org/a?b=1#c"),
        ("https://token@example.org", "https://***@example.org"),
        ("https://ann:p@ss@example.org/", "https://***@example.org/"),
        ("https://example.org/@ann", "https://example.org/@ann"),
        ("https://example.org/?to=ann@example.org", "https://example.org/?to=ann@example.org"),
        ("https://example.org?to=ann@example.org", "https://example.org?to=ann@example.org"),
        ("http://a:b@x.example/, “http://c:d@y.example/”", "http://***@x.example/, “http://***@y.example/”"),
        ("https://${USER}:${PASSWORD}@example.org/", "https://***@example.org/"),
        ("https://example.org/?key=${KEY}", "https://example.org/?key=${KEY}"),
        ("file:///a/b@c.mp3", "file:///a/b@c.mp3"),
        ("write to ann@example.org", "write to ann@example.org"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_is_shown(text: str, expected: str) -> None:
    assert shown(text) == expected


@given(password=PASSWORDS, before=st.text(), after=st.text(alphabet=string.ascii_letters + " .,)”"))
def test_a_password_is_never_shown(password: str, before: str, after: str) -> None:
    hidden = shown(f"{before} https://ann:{password}@example.org/{after}")
    assert "https://***@example.org/" in hidden
    assert f":{password}@" not in hidden


def test_variables_are_filled_in_quoted() -> None:
    url = "https://${USER}:${PASS_2}@example.org/${TOKEN}?a=${TOKEN}"
    assert variables(url) == {"USER", "PASS_2", "TOKEN"}
    values = {"USER": "ann", "PASS_2": "p@ss/word", "TOKEN": "t&1"}
    assert filled_in(url, variables(url), values) == "https://ann:p%40ss%2Fword@example.org/t%261?a=t%261"
    assert filled_in("https://x.example/$%7BTOKEN%7D", ["TOKEN"], values) == "https://x.example/t%261"


def test_a_value_that_was_copied_out_of_an_address_is_not_encoded_again() -> None:
    url = "https://x.example/?key=${TOKEN}"
    assert filled_in(url, ["TOKEN"], {"TOKEN": "a%2Fb%26c=="}) == "https://x.example/?key=a%2Fb%26c%3D%3D"
    assert filled_in(url, ["TOKEN"], {"TOKEN": "100%"}) == "https://x.example/?key=100%25"
    assert filled_in(url, ["TOKEN"], {"TOKEN": "100%abc"}) == "https://x.example/?key=100%25abc"  # %ab: invalid UTF-8
    assert filled_in(url, ["TOKEN"], {"TOKEN": "%41 b"}) == "https://x.example/?key=%2541%20b"  # URLs contain no spaces
    for repeated in (
        "a%2Fb%26c",
        "a/b&c",
        "a/b%26c",
        "a%2fb&amp;c",
        "a&sol;b&amp;amp;c",
        "&#x61;&#047;b%26c",
        "%61%252Fb%2526c",
    ):
        assert concealed(f"at {repeated}.", {"TOKEN": "a%2Fb%26c"}) == "at ${TOKEN}."


def test_only_what_may_be_is_filled_in() -> None:
    assert (
        filled_in("https://x.example/${HOME}?${TOKEN}", ["TOKEN"], {"HOME": "/root", "TOKEN": "1"})
        == "https://x.example/${HOME}?1"
    )
    assert variables("$HOME ${} ${a-b} $(ls)") == frozenset()


@pytest.mark.parametrize("environment", [{}, {"TOKEN": ""}])
def test_a_variable_that_is_not_there_is_told(environment: dict[str, str]) -> None:
    with pytest.raises(MissingVariableError, match="the environment variable TOKEN"):
        filled_in("https://x.example/${TOKEN}", ["TOKEN"], environment)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://dts.podtrac.com/redirect.mp3/chtbl.com/track/5899E/traffic.megaphone.fm/A.mp3?updated=1", "https://traffic.megaphone.fm/A.mp3?updated=1"),
        ("https://pdst.fm/e/https://example.org/a.mp3", "https://example.org/a.mp3"),
        ("https://example.org/a.mp3?b=c", "https://example.org/a.mp3?b=c"),
    ],
)  # fmt: skip
def test_trackers_are_left_out(url: str, expected: str) -> None:
    assert without_trackers(url) == expected


A = "https://example.org/a.mp3"


@pytest.mark.parametrize(
    ("url", "length", "same"),
    [
        (A, 1000, True),
        (A, None, True),
        (A, 1001, False),
        ("http://EXAMPLE.org/a.mp3", 1000, True),
        (f"{A}?token=abc&expires=5", 1000, True),
        ("https://ann:secret@example.org/a.mp3#t=1", 1000, True),
        (f"{A}?updated=1700000000", 1000, False),
        (f"{A}?Modified=2", 1000, False),
        ("https://example.org/b.mp3", 1000, False),
        ("https://other.example/a.mp3", 1000, False),
        ("https://example.org/exp=1767225600~hmac=0a1b/a.mp3", 1000, True),
        ("https://example.org/episode=5/a.mp3", 1000, False),
        ("https://example.org/token=a.mp3", 1000, False),
    ],
)
def test_what_is_another_offer(url: str, length: int | None, same: bool) -> None:
    assert same_offer(offer(A, 1000), offer(url, length)) is same
    assert same_offer(offer(url, length), offer(A, 1000)) is same


@given(url=st.text() | st.from_regex(r"https?://[a-z.\[\]@:]{0,9}/?.{0,9}"), length=st.none() | st.integers(2))
def test_whatever_an_address_is_it_makes_an_offer_that_is_itself(url: str, length: int | None) -> None:
    assert same_offer(offer(url, length), offer(url, length))
