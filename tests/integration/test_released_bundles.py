"""Bundles of every format version that was ever released: they verify for ever, byte for byte as they were."""

import re

import pytest

from near_tee_cli.primitives.hashes import sha256
from tests.support.cli import PROJECT, near_tee

FOLDER = PROJECT / "fixtures" / "bundles"
LISTED = {
    version.name: dict(
        re.findall(r"^\| `([a-z0-9.-]+)` \| `([0-9a-f]{64})` \|", (version / "README.md").read_text(), re.MULTILINE)
    )
    for version in sorted(FOLDER.iterdir())
}
CODE = PROJECT / "examples" / "wat" / "counter.wasm"
SIGNER = "ed25519:9DtCCdgtfxbgmFYJMCgE7Fc6zvEGj9yZAdTYuoNMgMPE"


def test_nobody_has_changed_them() -> None:
    assert set(LISTED) == {"v1"}
    for version, files in LISTED.items():
        folder = FOLDER / version
        assert set(files) | {"README.md"} == {path.name for path in folder.iterdir()}
        for name, digest in files.items():
            assert sha256((folder / name).read_bytes()).hex() == digest, name


@pytest.mark.parametrize("name", [f"{version}/{name}" for version, files in LISTED.items() for name in files])
def test_they_verify(name, tmp_path) -> None:
    flags = {"v1/detached.ntb": ("--code", CODE), "v1/signed.ntb": ("--signer", SIGNER), "v1/yield.ntc": ("--chain",)}
    done = near_tee("verify", FOLDER / name, *flags.get(name, ()), "--json", home=tmp_path)
    assert done.code == 0, done.err
