"""Steps on disk, as a directory and as one file: written whole, read back, and refused when anything was touched."""

import json
import os

import pytest

from near_tee_cli.errors import BadInputError, UnsupportedError, WriteError
from near_tee_cli.primitives import base58
from near_tee_cli.workspace.step_files import FILES, MAGIC, is_step, pack, read_step, read_summary, write_step
from tests.support.steps import applied, waiting_step


@pytest.mark.parametrize("skip", [0, 1])
def test_there_and_back(tmp_path, skip) -> None:
    step, _, _ = applied(skip)
    assert bool(step.before.in_flight) == bool(skip)
    path = str(tmp_path / "step")
    packed = pack(step)
    write_step(path, packed)
    assert is_step(path)
    assert sorted(os.listdir(path)) == ["after.nts", "before.nts", "results.json", "step.json"]
    stored = read_step(path)
    assert stored == (step, packed.digest)
    with pytest.raises(WriteError) as caught:
        write_step(path, pack(step._replace(about={})))
    assert caught.value.code == "exists"


def test_same_step_same_bytes() -> None:
    assert pack(applied()[0]) == pack(applied()[0])


@pytest.mark.parametrize("name", ["after.nts", "before.nts", "results.json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_damaged_parts(tmp_path, name, damage) -> None:
    step, _, _ = applied()
    path = tmp_path / "step"
    write_step(str(path), pack(step))
    data = bytearray((path / name).read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 1
    (path / name).write_bytes(data[:-1] if damage == "cut" else data)
    if damage == "gone":
        (path / name).unlink()
    with pytest.raises(BadInputError) as caught:
        read_step(str(path))
    assert caught.value.code == ("not-found" if damage == "gone" else "step-damaged")


CHANGES = [
    (lambda d: d.update(schema="near-tee/step/v2"), "unsupported-step-schema"),
    (lambda d: d.update(schema="else"), "not-a-step"),
    (lambda d: d.update(more=1), "bad-field"),
    (lambda d: d.pop("parent"), "bad-field"),
    (lambda d: d.update(parent="x"), "bad-field"),
    (lambda d: d.update(pre_root=base58.encode(bytes(32))), "step-damaged"),
    (lambda d: d.update(post_root=None), "step-damaged"),
    (lambda d: d["blocks"].pop(), "step-damaged"),
    (lambda d: d["blocks"][0].pop("forward"), "bad-field"),
    (lambda d: d["blocks"][0].update(expired=[5]), "bad-field"),
    (lambda d: d["blocks"][0].update(transactions=["*"]), "bad-base64"),
    (lambda d: d["files"].pop("after.nts"), "bad-field"),
    (lambda d: d["files"].update({"../evil": "x"}), "bad-field"),
    (lambda d: d.update(about=[]), "bad-field"),
    (lambda d: d.update(outcome=1), "bad-field"),
    (lambda d: d.update(protocol_version=85), "step-damaged"),
    (lambda d: d.update(codes={"NOT AN ACCOUNT": None}), "bad-field"),
    (lambda d: d.update(codes={"a.near": "x"}), "bad-field"),
    (lambda d: d.update(yields=[{}]), "bad-field"),
    (lambda d: d.update(yields={}), "bad-field"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "code"), CHANGES, ids=range(len(CHANGES)))
def test_wrong_documents(tmp_path, change, code) -> None:
    step, _, _ = applied()
    path = tmp_path / "step"
    write_step(str(path), pack(step))
    document = json.loads((path / "step.json").read_bytes())
    change(document)
    (path / "step.json").write_text(json.dumps(document))
    with pytest.raises((BadInputError, UnsupportedError)) as caught:
        read_step(str(path))
    assert caught.value.code == code


def test_what_is_no_step(tmp_path) -> None:
    assert not is_step(str(tmp_path))
    assert not is_step(str(tmp_path / "nothing"))
    with pytest.raises(BadInputError) as caught:
        read_step(str(tmp_path))
    assert caught.value.code == "not-found"


@pytest.mark.parametrize("make", [lambda: applied()[0], waiting_step], ids=["plain", "waiting"])
def test_one_file_holds_the_same(tmp_path, make) -> None:
    step = make()
    packed = pack(step)
    directory, file = str(tmp_path / "step"), str(tmp_path / "one.step")
    write_step(directory, packed)
    write_step(file, packed)
    assert os.path.isfile(file)
    assert is_step(file)
    assert read_step(file) == read_step(directory) == (step, packed.digest)
    summaries = [read_summary(path)._replace(path="") for path in (file, directory)]
    assert summaries[0] == summaries[1]
    assert summaries[0].heights == tuple(block.block.height for block in step.blocks)


def test_what_is_there_already_byte_for_byte_is_left(tmp_path) -> None:
    packed = pack(applied()[0])
    for path in (tmp_path / "step", tmp_path / "one.step"):
        write_step(str(path), packed)
        inode = path.stat().st_ino
        write_step(str(path), packed)
        assert path.stat().st_ino == inode
        with pytest.raises(WriteError) as caught:
            write_step(str(path), pack(waiting_step()))
        assert caught.value.code == "exists"


@pytest.mark.parametrize("cut", [0, 5, len(MAGIC), len(MAGIC) + 3, 400, -1])
def test_truncated_files(tmp_path, cut) -> None:
    path = tmp_path / "one.step"
    write_step(str(path), pack(applied()[0]))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(BadInputError):
        read_step(str(path))


def test_files_in_another_order_or_number(tmp_path) -> None:
    packed = pack(applied()[0])
    for position, names in enumerate((FILES[::-1], FILES[:3], (*FILES, FILES[0]))):
        path = tmp_path / f"{position}.step"
        parts = b"".join(
            len(name).to_bytes(4, "little") + name.encode() + len(packed.files[name]).to_bytes(4, "little")
            + packed.files[name] for name in names
        )  # fmt: skip
        path.write_bytes(MAGIC + len(names).to_bytes(4, "little") + parts)
        with pytest.raises(BadInputError) as caught:
            read_step(str(path))
        assert caught.value.code == "step-damaged"
