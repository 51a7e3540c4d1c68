"""The second verifier, written from the documents alone, answers as the first one does."""

import importlib.util
import json
import random
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from near_tee_cli.proof.bundle import decode_bundle
from near_tee_cli.proof.chain_file import is_chain_file, unpack
from tests.reject import corpus
from tests.support import cases
from tests.support.bundles import consistent, decided, proof_of, relabelled, small_proof
from tests.support.cli import PROJECT
from tests.support.lies import lie, rerooted

PATH = PROJECT / "examples" / "second_verifier.py"
SPEC = importlib.util.spec_from_file_location("second_verifier", PATH)
second = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(second)
LATER = set(range(14, 31))
"""Checks of the first verifier that the second one does not make."""
NAMES = cases.names()[::11]


def answer(data):
    """(Number of the check, code) of the second verifier; (0, None) when it finds nothing."""
    try:
        second.verify(data)
    except second.Verdict as verdict:
        return verdict.check, verdict.code
    return 0, None


def expected(data):
    """The same of the first one."""
    found = decided(consistent(data))
    return (0, None) if found[0] in LATER else found


def test_it_imports_nothing_of_ours() -> None:
    text = PATH.read_text(encoding="utf-8")
    assert "near_tee_cli" not in text
    modules = {line.split()[1] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert modules <= sys.stdlib_module_names


def test_the_must_reject_corpus() -> None:
    for entry in corpus.entries():
        for data in (entry.data, *entry.more):
            assert answer(data) == expected(data), entry.name


def test_released_bundles() -> None:
    for path in sorted((PROJECT / "fixtures" / "bundles").rglob("*.nt*")):
        data = path.read_bytes()
        for one in unpack(data) if is_chain_file(data) else [data]:
            assert answer(one) == (0, None), path.name


@pytest.mark.parametrize("name", NAMES)
def test_recorded_cases(name) -> None:
    try:
        data = proof_of(name).data
    except Exception:
        pytest.skip("the case cannot be proved as a whole")
    assert answer(data) == (0, None)


def told(data) -> None:
    found, wanted = answer(data), expected(data)
    assert found == wanted


BASES = (
    "small",
    "runtime/yields/yields-resume-bad-id",
    "runtime/queue/queue-initial-buffered",
    "vm/state/state_values",
)


def bundle_of(name):
    return decode_bundle(small_proof().data if name == "small" else proof_of(name).data)


@given(st.sampled_from(BASES), st.integers(0, 2**32))
def test_random_lies(name, seed) -> None:
    bundle, draw = bundle_of(name), random.Random(seed)
    content = bundle.content
    for _ in range(draw.choice((1, 1, 2))):
        content = lie(draw, content)
    told(relabelled(content, bundle.claim))


@given(st.sampled_from(BASES), st.integers(0, 2**32))
def test_random_states(name, seed) -> None:
    bundle, draw = bundle_of(name), random.Random(seed)
    content, root = rerooted(draw, bundle.content, bundle.claim.pre_root)
    told(relabelled(content, bundle.claim._replace(pre_root=root)))


@given(st.sampled_from(BASES), st.integers(0, 2**32))
def test_random_bytes(name, seed) -> None:
    draw = random.Random(seed)
    data = bytearray(small_proof().data if name == "small" else proof_of(name).data)
    for _ in range(draw.choice((1, 1, 3))):
        data[draw.randrange(len(data))] = draw.randrange(256)
    told(bytes(data[: draw.choice((len(data), len(data), draw.randrange(len(data))))]))


def test_as_a_program(tmp_path) -> None:
    good = tmp_path / "good.ntb"
    good.write_bytes(small_proof().data)
    lied = corpus.FOLDER / "change-added" / "bundle.ntb"
    later = corpus.FOLDER / "version-2" / "bundle.ntb"
    for path, code, verdict in (
        (good, 0, "consistent"), (lied, 4, "contradicted"), (later, 5, "inconclusive"), (PATH, 6, "inconclusive"),
    ):  # fmt: skip
        done = subprocess.run([sys.executable, "-I", PATH, path, "--json"], capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        assert json.loads(done.stdout)["verdict"] == verdict
    assert (
        "consistent" in subprocess.run([sys.executable, PATH, good], capture_output=True, text=True, check=True).stdout
    )
    assert subprocess.run([sys.executable, PATH], capture_output=True, check=False).returncode == 2
