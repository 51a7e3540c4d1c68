"""Runs as bytes, and what is refused before anything is executed."""

import pytest

from near_tee_cli.errors import BadInputError
from near_tee_cli.worker.wasi_run import MIB, Limits, Run, decode_run, encode_run

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
