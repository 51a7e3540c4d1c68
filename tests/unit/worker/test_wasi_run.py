"""Runs as bytes, and what is refused before anything is executed."""

import pytest

from near_tee_cli.errors import BadInputError
from near_tee_cli.worker.wasi_run import (
    MIB,
    Limits,
    Recorded,
    Run,
    decode_run,
    encode_run,
    require_limits,
    require_runnable,
)

RUN = Run(0, None, b"out", b"err", 2**40, 17, "wasmtime-50-fuel")


@pytest.mark.parametrize("run", [RUN, RUN._replace(exit=None, trap="unreachable"), RUN._replace(exit=2**32 - 1)])
def test_there_and_back(run) -> None:
    assert decode_run(encode_run(run)) == run


@pytest.mark.parametrize(
    "data",
    [
        b"",
        encode_run(RUN)[:-1],
        encode_run(RUN) + b"\0",
        encode_run(RUN._replace(trap="unreachable")),
        encode_run(RUN._replace(exit=None)),
        encode_run(RUN._replace(exit=None, trap="bored")),
    ],
)
def test_what_is_no_run(data) -> None:
    with pytest.raises(BadInputError):
        decode_run(data)


def test_output_is_bounded_by_memory() -> None:
    assert Limits(1, 3, 1).stdout_bytes == 3 * MIB
    assert Limits(1, 4096, 1).stdout_bytes == 64 * MIB


MOST = Limits(2**62, 4096, 24 * 3600)
RECORDED = Recorded(2**63 - 1, bytes(32))


def test_limits_to_the_last() -> None:
    require_limits(MOST, RECORDED)
    require_limits(Limits(1, 1, 1), Recorded(0, bytes(32)))
    for name, value in MOST._asdict().items():
        for wrong in (0, value + 1):
            with pytest.raises(BadInputError) as refusal:
                require_limits(MOST._replace(**{name: wrong}), RECORDED)
            assert refusal.value.code == "bad-limits"
    for wrong in (RECORDED._replace(clock_ns=2**63), RECORDED._replace(clock_ns=-1), RECORDED._replace(seed=bytes(31))):
        with pytest.raises(BadInputError):
            require_limits(MOST, wrong)


def test_sizes_to_the_last() -> None:
    environment = (("A", "x" * (1 << 19)), ("é", "x" * ((1 << 19) - 7)))
    fits = (bytes(10 << 20), bytes(16 << 20), environment)
    require_runnable(*fits)
    for at, longer in enumerate((fits[0] + b"x", fits[1] + b"x", (*environment[:1], ("é", environment[1][1] + "x")))):
        with pytest.raises(BadInputError) as refusal:
            require_runnable(*fits[:at], longer, *fits[at + 1 :])
        assert refusal.value.code == "too-large"
