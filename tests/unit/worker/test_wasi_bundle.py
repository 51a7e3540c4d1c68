"""Files of claims about programs: one encoding, caps, and one word for what is none."""

import inspect
import re

import pytest

from near_tee_cli.errors import BadInputError, UnsupportedError
from near_tee_cli.proof import bundle as bundles
from near_tee_cli.proof.bundle import COMPACT_SIGNATURE, Attachment
from near_tee_cli.worker import wasi_bundle, wasi_verifier
from near_tee_cli.worker.wasi_bundle import (
    MAGIC,
    decode_wasi_bundle,
    encode_wasi_bundle,
    is_wasi_bundle,
    run_of,
)
from near_tee_cli.worker.wasi_run import MAX_STDERR_BYTES, TRAPS, Limits, Recorded
from near_tee_cli.worker.wasi_statement import Outcome, Place, Task
from tests.support.cli import PROJECT
from tests.support.wasi_bundles import ASKED, attested_bundle, run_here, signed_by, small_bundle

DATA = encode_wasi_bundle(small_bundle())


@pytest.mark.parametrize(
    "bundle",
    [small_bundle(), small_bundle()._replace(program=None), signed_by(small_bundle(), 0, 1), attested_bundle()],
    ids=["plain", "detached", "signed", "attested"],
)
def test_what_is_written_is_read(bundle) -> None:
    data = encode_wasi_bundle(bundle)
    assert decode_wasi_bundle(data) == bundle
    assert is_wasi_bundle(data)
    assert not bundles.is_bundle(data)
    assert run_of(bundle) == run_here(ASKED)


def test_the_layout() -> None:
    """As docs/outlayer.md has it, written again by hand."""
    bundle = small_bundle()

    def blob(data):
        return len(data).to_bytes(4, "little") + data

    head, rest = DATA[:10], DATA[10:]
    assert head == MAGIC + b"\1\0"
    claim, rest = rest.split(bundle.claim_digest, 1)
    assert claim.startswith(blob(b"mainnet") + blob(b"outlayer.near") + b"\1" + (3).to_bytes(8, "little") + b"\1")
    variables = (2).to_bytes(4, "little") + blob(b"A") + blob(b"1") + blob(b"B") + blob(b"")
    assert rest == (
        bundle.program_hash + b"\1" + blob(ASKED.program) + blob(b"hello") + variables + blob(b"hello") + blob(b"")
        + bytes(4)
    )  # fmt: skip


def refused(data) -> str:
    with pytest.raises(BadInputError) as caught:
        decode_wasi_bundle(data)
    return caught.value.code


def test_bad_input_has_one_word() -> None:
    bundle = small_bundle()
    one, two = Attachment(COMPACT_SIGNATURE, b"1"), Attachment(COMPACT_SIGNATURE, b"2")
    for changed in (
        bundle._replace(environment=(("A", "1"), ("A", "2"))),
        bundle._replace(environment=(("", "1"),)),
        bundle._replace(environment=(("A=B", "1"),)),
        bundle._replace(stderr=bytes(MAX_STDERR_BYTES + 1)),
        bundle._replace(attachments=(two, one)),
        bundle._replace(attachments=(one, one)),
    ):
        assert refused(encode_wasi_bundle(changed)) == "malformed-wasi-bundle"
    for data in (
        b"",
        MAGIC,
        DATA[:-1],
        DATA + b"\0",
        b"near-tee" + DATA[8:],
        DATA[:40],
        MAGIC + b"\1\0" + b"\xff" * 99,
    ):
        assert refused(data) == "malformed-wasi-bundle"


def test_every_cut_is_refused() -> None:
    assert {refused(DATA[:length]) for length in range(len(DATA))} == {"malformed-wasi-bundle"}


def test_another_version_is_named() -> None:
    with pytest.raises(UnsupportedError) as caught:
        decode_wasi_bundle(MAGIC + b"\2\0" + DATA[10:])
    assert caught.value.code == "unsupported-wasi-bundle-version"


def test_a_cap_is_kept_by_both(monkeypatch) -> None:
    monkeypatch.setattr(wasi_bundle, "MAX_BUNDLE_BYTES", len(DATA) - 1)
    assert refused(DATA) == "malformed-wasi-bundle"
    with pytest.raises(BadInputError) as caught:
        encode_wasi_bundle(small_bundle())
    assert caught.value.code == "bundle-too-large"


def test_the_document() -> None:
    """docs/outlayer.md names what is written: the file's first bytes, fields, caps, traps and codes."""
    text = (PROJECT / "docs" / "outlayer.md").read_text()
    layout = text.partition("### WasiBundle")[2].partition("### WasiClaim")[0]
    fields = [line.split("|")[1].strip() for line in layout.splitlines() if line.startswith("| ")][1:]
    assert fields == ["magic", "version", *wasi_bundle.WasiBundle._fields]
    assert f"`{MAGIC.decode()}`" in layout
    for number in (wasi_bundle.MAX_VARIABLES, wasi_bundle.MAX_ATTACHMENTS):
        assert f"at most {number}" in layout
    claimed = text.partition("### WasiClaim")[2].partition("From `program`")[0]
    names = [line.split("|")[1].strip() for line in claimed.splitlines() if line.startswith("| ")][1:]
    task = [name for name in Task._fields if name not in ("limits", "recorded", "metering")]
    task += [*Limits._fields, *Recorded._fields, "metering"]
    assert names == [*Place._fields, *task, *Outcome._fields, "elapsed_ms"]
    assert [word for word in TRAPS if f"`{word}`" not in text.partition("## 4.")[2]] == []
    for code in re.findall(r'code="([a-z-]+)"', inspect.getsource(wasi_verifier)):
        assert f"`{code}`" in text, code
