"""What writes: each operation, what may lie there afterwards, and a naive writer that must not pass for one."""

import os
from collections.abc import Callable
from typing import NamedTuple

from near_tee_cli.errors import WriteError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.workspace.atomic import write_directory, write_file
from near_tee_cli.workspace.private_files import write_private_file
from near_tee_cli.workspace.result_store import ResultStore

OLD, NEW = b"old content", b"new content " * 2000
FILES = {"step.json": b"{}" * 500, "state.bin": NEW}
JOB = b"\1" * 32


class Operation(NamedTuple):
    """One way of writing below a directory."""

    prepare: Callable[[str], None]
    act: Callable[[str], None]
    sound: Callable[[str], bool]
    """Whether everything under a final name is whole, old or new."""
    done: Callable[[str], bool]
    """Whether the new is there."""


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _nothing(_root: str) -> None:
    return


def _visible(root: str) -> set[str]:
    return {name for name in os.listdir(root) if not name.startswith(".")}


def _new(root: str) -> None:
    write_file(f"{root}/a", NEW, overwrite=False)


def _replaced(root: str) -> None:
    write_file(f"{root}/a", NEW, overwrite=True)


def _directory(root: str) -> None:
    write_directory(f"{root}/step", FILES)


def _key(root: str) -> None:
    write_private_file(f"{root}/keys/a", NEW)


def _result(root: str) -> None:
    store = ResultStore(f"{root}/out", resume=True, key=lambda: bytes(32))
    kept = store.find(JOB)
    summary = store.keep(JOB, NEW, {"exit": 0}) if kept is None else kept.summary
    store.name("item", summary["bundle"])


def _directory_is_sound(root: str) -> bool:
    if not os.path.isdir(f"{root}/step"):
        return _visible(root) == set()
    return {name: _read(f"{root}/step/{name}") for name in os.listdir(f"{root}/step")} in (FILES, {})


def _result_is_sound(root: str) -> bool:
    """A job that is referred to has its bundle, whole; so has a name."""
    out = f"{root}/out"
    if not os.path.isdir(out):
        return True
    named = _read(f"{out}/item.ntb")
    if named not in (None, NEW):
        return False
    job = _read(f"{out}/jobs/{JOB.hex()}.json")
    bundle = _read(f"{out}/objects/{sha256(NEW).hex()}.ntb")
    return bundle in (None, NEW) and (job is None or (job.endswith(b"}\n") and bundle == NEW))


OPERATIONS = {
    "new": Operation(
        _nothing, _new, lambda root: _read(f"{root}/a") in (None, NEW), lambda root: _read(f"{root}/a") == NEW
    ),
    "replaced": Operation(
        lambda root: write_file(f"{root}/a", OLD, overwrite=False),
        _replaced,
        lambda root: _read(f"{root}/a") in (OLD, NEW),
        lambda root: _read(f"{root}/a") == NEW,
    ),
    "directory": Operation(_nothing, _directory, _directory_is_sound, lambda root: os.path.isdir(f"{root}/step")),
    "key": Operation(
        _nothing, _key, lambda root: _read(f"{root}/keys/a") in (None, NEW), lambda root: _read(f"{root}/keys/a") == NEW
    ),
    "result": Operation(
        _nothing,
        _result,
        _result_is_sound,
        lambda root: _read(f"{root}/out/item.ntb") == NEW and _read(f"{root}/out/jobs/{JOB.hex()}.json") is not None,
    ),
}


def naive(root: str) -> None:
    """What everybody writes first."""
    handle = os.open(f"{root}/a", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        rest = NEW
        while rest:
            rest = rest[os.write(handle, rest[:4096]) :]
    finally:
        os.close(handle)


NAIVE = OPERATIONS["replaced"]._replace(act=naive)


def attempted(operation: Operation, root: str) -> str:
    """`done`, or the code of what stopped it."""
    try:
        operation.act(root)
    except WriteError as error:
        return error.code
    return "done"
