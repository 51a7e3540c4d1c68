"""TOML that is read, and TOML that no reader could bear."""

import resource
import subprocess
import sys
import time
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.toml import MAX_KEY_PARTS, loads

DOTS = ".".join("abcdefgh" * 50)
AT_MOST = ".".join("abcdefgh")


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{AT_MOST} = 1\n[{AT_MOST.replace('a', 'x', 1)}]\n{AT_MOST} = 2",
        "a = [" + "1.5, " * 100 + "]",
        f"a = \"{DOTS}\"\nb = '{DOTS}' # {DOTS}",
        f'a = """{DOTS}\n\\"""{DOTS}"""\nb = \'\'\'{DOTS}\n""{DOTS}\'\'\'',
        f'a = "\\"{DOTS}"\n"{DOTS}" = 1\n# "',
        f'a = """"{DOTS}"""""\nb = ""',
        "a = " + "{b.c.d = 1, e.f.g = {h.i.j.k = 2}}",
    ],
)
def test_what_is_read(text) -> None:
    assert loads(text.encode(), "it") == tomllib.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        f"{AT_MOST}.i = 1",
        f"[{AT_MOST}.i]",
        f"[[ {AT_MOST} . i ]]",
        f"x = {{ y = 1, {AT_MOST}\t.\ti = 1}}",
        "a" + '."b"' * 8 + " = 1",
        "a" + ".'b='" * 8 + " = 1",
        f'x = "#"\n{DOTS} = 1',
        f"x = '\\'\n{DOTS} = 1 # '",
        f'x = """\n"\n"""\n{DOTS} = 1',
        f'x = {{y = """\n""", {DOTS} = 1}} # "',
        f"x = {{y = '''\n''', {DOTS} = 1}} # '",
        f'# """\n{DOTS} = 1 # """',
        f"x = 1 # '''\n{DOTS} = 1 # '''",
        f'x = """"a"""""\n{DOTS} = 1',
    ],
)
def test_keys_of_too_many_parts(text) -> None:
    with pytest.raises(BadInputError, match="it has a key of more than 8 parts") as caught:
        loads(text.encode(), "it", code="bad-it")
    assert caught.value.code == "bad-it"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\xff", "no UTF-8 text"),
        (b"a", "no TOML"),
        (b"a = " + b"[" * 100_000, "no TOML"),
        (b"a = " + b"1" * 100_000, "no TOML"),
        (b'a = "', "no TOML"),
    ],
)
def test_what_is_none(data, what) -> None:
    with pytest.raises(BadInputError, match=f"it is {what}") as caught:
        loads(data, "it", code="bad-it")
    assert caught.value.code == "bad-it"


KEYS = st.lists(st.sampled_from(["a", '"b"', "'c'", '"."', "'\"'", '"\\""']), min_size=1, max_size=20).map(".".join)
VALUES = st.sampled_from(['"x.y"', "'.'", '"""\n."""', "'''\"\n'''", "1.5", "[1.5,\n 2.5]", "true # ' \" ."])


@given(st.lists(st.tuples(KEYS, VALUES), max_size=5), st.booleans())
def test_a_key_is_counted_wherever_it_stands(rows, inline) -> None:
    lines = [f"k{number}.{key} = {value}" for number, (key, value) in enumerate(rows)]
    text = "x = {" + ", ".join(line.partition(" # ")[0] for line in lines) + "}" if inline else "\n".join(lines)
    longest = max((len(tomllib_key(key)) + 1 for key, _ in rows), default=0)
    if longest > MAX_KEY_PARTS:
        with pytest.raises(BadInputError, match="parts"):
            loads(text.encode(), "it")
    else:
        assert loads(text.encode(), "it") == tomllib.loads(text)


def tomllib_key(key):
    """The parts of a dotted key."""
    found, level = [], tomllib.loads(f"{key} = 1")
    while isinstance(level, dict):
        ((part, level),) = level.items()
        found.append(part)
    return found


BOMB = """
import sys
from near_tee_cli.primitives.toml import loads
try:
    loads({}, "it")
except Exception as error:
    print(error)
"""


@pytest.mark.parametrize(
    "data",
    [
        'b".".join([b"a"] * 200_000) + b" = 1"',
        'b\'"""\' + b\'\\\\"""\' * 100_000',
        "b'\"' * 400_001",
        'b"a" * 400_000',
        "b\"'''\" * 100_001",
        'b"[" + b"a." * 200_000',
    ],
)
def test_no_reader_takes_long_over_it(data) -> None:
    begun = time.process_time()

    def bounded():
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
        resource.setrlimit(resource.RLIMIT_CPU, (20, 20))

    done = subprocess.run(
        [sys.executable, "-c", BOMB.format(data)], capture_output=True, text=True, check=False, preexec_fn=bounded
    )
    assert done.stdout.startswith("it "), done.stderr
    assert time.process_time() - begun < 5
