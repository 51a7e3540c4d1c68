"""`verify` of many bundles: verdicts as they come, the first bad one as the last, a report for CI systems."""

import json
import os
import pathlib
import pty
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from tests.support.cli import PROJECT, near_tee

COUNTER = PROJECT / "examples" / "wat" / "counter.wasm"
COUNT = 4


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def bundles(home, tmp_path_factory):
    """Good bundles, the third of which was changed afterwards."""
    directory = tmp_path_factory.mktemp("bundles")
    for number in range(COUNT):
        flags = ("--block-height", str(number + 1), "-o", f"{number}.ntb")
        assert near_tee("prove", COUNTER, "increment", *flags, home=home, cwd=directory).code == 0
    data = bytearray((directory / "2.ntb").read_bytes())
    data[len(data) // 2] ^= 1
    (directory / "2.ntb").write_bytes(data)
    return [str(directory / f"{number}.ntb") for number in range(COUNT)]


@pytest.fixture
def verify(home, bundles, tmp_path):
    return lambda *flags, paths=bundles: near_tee("verify", *paths, *flags, home=home, cwd=tmp_path)


def test_lines_as_they_come(verify, bundles) -> None:
    whole = verify("--json").document
    *entries, last = map(json.loads, verify("--jsonl", "--jobs", "2").out.splitlines())
    assert entries == whole["result"]["bundles"]
    assert (last["exit"], last["error"]) == (whole["exit"], whole["error"])
    verdicts = [entry["verdict"] for entry in entries]
    assert last["verify"]["counts"] == {
        "bundles": COUNT, **{name: verdicts.count(name) for name in ("established", "contradicted", "inconclusive")},
    }  # fmt: skip
    done = verify("--jsonl", "--no-replay", paths=bundles[:1])
    assert (done.code, done.err, len(done.out.splitlines())) == (0, "", 2)
    assert json.loads(done.out.splitlines()[1])["error"] is None
    text = verify("--quiet").out.splitlines()
    assert text == [f"{verdict}  {path}" for verdict, path in zip(verdicts, bundles, strict=True)]


def test_a_line_is_there_before_the_next_bundle_is_read(home, bundles) -> None:
    command = [sys.executable, "-m", "near_tee_cli", "verify", bundles[0], "-", "--jsonl", "--no-replay", "--jobs", "1"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "NEAR_TEE_HOME": str(home)},
        cwd=PROJECT,
    ) as process:  # fmt: skip
        assert json.loads(process.stdout.readline())["verdict"] == "established"
        process.stdin.close()
        rest = process.stdout.read().splitlines()
        assert json.loads(rest[0])["path"] == "-"
    assert process.returncode == 6


def test_the_first_that_fails_is_the_last(verify, bundles) -> None:
    done = verify("--fail-fast", "--json", "--jobs", "1")
    assert [entry["path"] for entry in done.document["result"]["bundles"]] == bundles[:3]
    assert done.code == done.document["result"]["bundles"][2]["exit"] != 0
    assert len(verify("--fail-fast", "--quiet").out.splitlines()) == 3
    assert verify("--fail-fast", paths=bundles[:2]).code == 0


def test_junit(verify, bundles, tmp_path) -> None:
    for _ in range(2):
        assert verify("--junit", "r.xml").code != 0
    (suite,) = ET.parse(tmp_path / "r.xml").getroot()
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("near-tee verify", "4", "1")
    assert [case.get("name") for case in suite] == bundles
    assert len(suite[2]) == 1
    before = pathlib.Path(bundles[0]).read_bytes()
    refused = verify("--junit", bundles[0], "--json")
    assert (refused.code, refused.document["error"]["code"]) == (6, "exists")
    assert pathlib.Path(bundles[0]).read_bytes() == before
    assert verify("--junit", "none/r.xml").code == 6
    assert verify("--junit", "-").code == 2


def test_two_forms_at_once_are_refused(verify) -> None:
    assert verify("--jsonl", "--json").code == 2
    assert verify("--jsonl", "--output", "json").code == 2


def test_a_bar_on_a_terminal(home, bundles, tmp_path) -> None:
    """On a terminal one sees how far it is; what is printed does not depend on it."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "near_tee_cli", "verify", ".", "--no-replay", "--jobs", "1"]
    for path in bundles[:2]:
        (tmp_path / pathlib.Path(path).name).write_bytes(pathlib.Path(path).read_bytes())
    environment = {**os.environ, "NEAR_TEE_HOME": str(home), "TERM": "xterm", "PYTHONPATH": str(PROJECT)}
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=slave, env=environment, cwd=tmp_path
    ) as process:
        os.close(slave)
        out = process.stdout.read()
        seen = b""
        try:
            while part := os.read(master, 4096):
                seen += part
        except OSError:  # nobody has the other end any more
            pass
    os.close(master)
    assert process.returncode == 0
    assert b"verifying" in seen
    assert out.count(b"bundle  ") == 2
