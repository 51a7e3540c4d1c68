"""Untrusted text on its way to a terminal."""

import io

import pytest

from near_tee_cli.cli import terminal

HOSTILE = [
    *map(chr, range(0x20)), "\x7f", *map(chr, range(0x80, 0xA0)), "\u200e", "\u202e", "\u2066", "\u2028", "\ufeff",
    "\ud800", "\U000e0041", "\u061c",
]  # fmt: skip


@pytest.mark.parametrize("character", HOSTILE)
def test_nothing_that_a_terminal_obeys_remains(character):
    shown = terminal.plain(f"a{character}b")
    assert character not in shown
    assert shown.startswith("a\\")
    assert shown.endswith("b")
    shown.encode("utf-8")


def test_ordinary_text_stays():
    for text in ("", "hello [red]world[/red]", "naïve 日本語 🎉", "a\\b"):
        assert terminal.plain(text) == text


def test_ansi_sequences_become_visible():
    assert terminal.plain("\x1b[31mred\x1b]8;;http://x\x07") == "\\e[31mred\\e]8;;http://x\\x07"


def test_bytes():
    assert terminal.plain_bytes(b"text") == "text"
    assert terminal.plain_bytes(b"\xff\x00") == "0xff00"
    assert terminal.plain_bytes(b"x" * 500, limit=10) == "x" * 9 + "…"


class _Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("choice", "environment", "stream", "expected"),
    [
        ("auto", {}, _Terminal(), True),
        ("auto", {}, io.StringIO(), False),
        ("auto", {"NO_COLOR": "1"}, _Terminal(), False),
        ("auto", {"NO_COLOR": ""}, _Terminal(), True),
        ("auto", {"TERM": "dumb"}, _Terminal(), False),
        ("auto", {"FORCE_COLOR": "1"}, io.StringIO(), True),
        ("auto", {"FORCE_COLOR": ""}, io.StringIO(), False),
        ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, _Terminal(), False),
        ("always", {"NO_COLOR": "1"}, io.StringIO(), True),
        ("never", {"FORCE_COLOR": "1"}, _Terminal(), False),
    ],
)
def test_colour_rules(monkeypatch, choice, environment, stream, expected):
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert terminal.style_for(stream, choice).enabled is expected
