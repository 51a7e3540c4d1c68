"""The YAML of compose files: what is read is read as everybody reads it, and the rest is refused."""

import pytest

from near_tee_cli.attest.compose_yaml import MAX_BYTES, MAX_DEPTH, parse_yaml
from near_tee_cli.errors import BadInputError

READ = [
    ("", ""),
    ("# nothing\n\n", ""),
    ("---\na: b\n", {"a": "b"}),
    ("a: b\nc: d # comment\n", {"a": "b", "c": "d"}),
    ("a: b#c\n", {"a": "b#c"}),
    ("a:\n  b:\n    c: d\ne: f", {"a": {"b": {"c": "d"}}, "e": "f"}),
    ("a:\nb:\n", {"a": "", "b": ""}),
    ("a:\n- x\n- y\nb: z", {"a": ["x", "y"], "b": "z"}),
    ("a:\n  - x\n  -   y\n", {"a": ["x", "y"]}),
    ("- a: 1\n  b: 2\n- c: 3\n", [{"a": "1", "b": "2"}, {"c": "3"}]),
    ("- - a\n  - b\n- c\n", [["a", "b"], "c"]),
    ("-\n  a: b\n- # c\n  d\n", [{"a": "b"}, "d"]),
    ("a: 'it''s: #x' # c\n", {"a": "it's: #x"}),
    ('a: "x\\n\\"y\\u0041"\n', {"a": 'x\n"yA'}),
    ("'a b': c\n\"d\": e\n", {"a b": "c", "d": "e"}),
    ("a: /x:/y:ro\n", {"a": "/x:/y:ro"}),
    ("a: http://x\n", {"a": "http://x"}),
    ("a: [x, 'y, z', \"w\"]\n", {"a": ["x", "y, z", "w"]}),
    ("a: [] # c\nb: {}\n", {"a": [], "b": {}}),
    ("a: {b: c, 'd': [e, {f: g}]}\n", {"a": {"b": "c", "d": ["e", {"f": "g"}]}}),
    ("a: |\n  x\n    y\n\n  z\nb: c\n", {"a": "x\ny\n\nz", "b": "c"}),
    ("a: >-\n  x\n  y\n", {"a": "x y"}),
    ("a: |\n  # no comment\n  b: c\n", {"a": "# no comment\nb: c"}),
    ("- |\n  x\n- y\n", ["x", "y"]),
    ("a: b\r\nc: d\r\n", {"a": "b", "c": "d"}),
    ("a: -x\n", {"a": "-x"}),
    ("A=b\n", "A=b"),
    ("- A=b\n- C=d: e\n", ["A=b", {"C=d": "e"}]),
]
REFUSED = [
    "a: &x b\n",
    "a: *x\n",
    "a: !!str b\n",
    "a: !x\n",
    "<<: b\n",
    "? a\n",
    "%YAML 1.2\n---\na: b\n",
    "a: b\n---\nc: d\n",
    "a: b\n...\n",
    "...\n",
    "a: b\na: c\n",
    "a: {b: c, b: d}\n",
    "a:\tb\n",
    "\ta: b\n",
    "a: b\n  c\n",
    "a: b\n  c: d\n",
    "a:\n  b\n  c\n",
    "a:\n    b: c\n  d: e\n",
    "  a: b\nc: d\n",
    "- a\nb: c\n",
    "a: b\nc\n",
    "'a'b: c\n",
    "'a':b\n",
    "'a' b\n",
    "- 'a' b\n",
    "a: ['b' c]\n",
    "a: {'b': 'c' d}\n",
    "a: {'b' c}\n",
    "a: b: c\n",
    "a: b:\n",
    "a: 'b\n  c'\n",
    'a: "b\n',
    'a: "\\x41"\n',
    "a: 'b' c\n",
    "a: [b\n",
    "a: [b,\n  c]\n",
    "a: [b] c\n",
    "a: [b #c]\n",
    "a: [b c: d]\n",
    "a: {b}\n",
    "a: {b: }\n",
    "a: {b: c\n",
    "a: [,]\n",
    "a: |2\n   b\n",
    "a: |\n   x\n  y\n",
    "a: |\n    \n  y\n",
    "a: @b\n",
    "a: `b`\n",
    "a: %b\n",
    "a: ,b\n",
    "a: - b\n",
    "a b: c\n",
    "a: \x00\n",
    "a: \u2028b\n",
    "\ufeffa: b\n",
]


@pytest.mark.parametrize(("text", "value"), READ)
def test_what_is_read(text, value) -> None:
    assert parse_yaml(text) == value


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_refused(text) -> None:
    with pytest.raises(BadInputError) as caught:
        parse_yaml(text)
    assert caught.value.code == "bad-yaml"


def test_size_and_depth_are_bounded() -> None:
    deep = [
        "".join(f"{'  ' * at}a:\n" for at in range(MAX_DEPTH + 2)),
        "- " * (MAX_DEPTH + 2) + "a",
        "a: " + "[" * (MAX_DEPTH + 3) + "]" * (MAX_DEPTH + 3),
        "a" * (MAX_BYTES + 1),
    ]
    for text in deep:
        with pytest.raises(BadInputError) as caught:
            parse_yaml(text)
        assert caught.value.code == "bad-yaml"
    assert parse_yaml("- " * MAX_DEPTH + "a")
    assert (MAX_BYTES, MAX_DEPTH) == (256 * 1024, 32)
    assert parse_yaml("a" * MAX_BYTES) == "a" * MAX_BYTES


def test_every_line_is_named_in_its_error() -> None:
    with pytest.raises(BadInputError) as caught:
        parse_yaml("a: b\nc: &d e\n")
    assert caught.value.where == "line 2"
    with pytest.raises(BadInputError) as caught:
        parse_yaml("a:\tb\n")
    assert caught.value.where == "line 1"
