"""Whatever fails and whenever it ends: under a final name lies the old or the new, whole, and another try succeeds."""

import contextlib
import itertools
import os
import random
import resource
import shutil
import signal
import subprocess
import time

import pytest

from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.workspace.result_store import ResultStore
from tests.durability.operations import NAIVE, NEW, OPERATIONS, attempted
from tests.support.faults import CALLS, EFFECTS, Disk, Faults, in_child


def fault(operation, root, name, at, effect) -> str | None:
    """What an operation comes to when the `at`-th call of `name` fails; `None` when there are fewer."""
    operation.prepare(root)

    def act() -> str:
        faults = Faults(root, name=name, at=at, effect=effect)
        with faults.active():
            said = attempted(operation, root)
        return said if faults.seen >= at else "fewer"

    said = in_child(act)
    return None if said == "fewer" else said


def leftovers(root) -> list[str]:
    return [name for _, folders, names in os.walk(root) for name in (*folders, *names) if name.endswith(".tmp")]


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_fault_at_every_call(operation, name, tmp_path) -> None:
    made = OPERATIONS[operation]
    points = 0
    for effect in EFFECTS:
        if name == "close" and effect != "KILL":
            continue
        for at in itertools.count(1):
            root = str(tmp_path / f"{effect}-{at}")
            os.mkdir(root)
            said = fault(made, root, name, at, effect)
            if said is None:
                break
            points += 1
            assert made.sound(root), (effect, at)
            if effect == "KILL":
                assert said == "killed"
            else:
                assert said in ("done", "write-failed"), (effect, at, said)
                assert said != "done" or made.done(root)
                assert len(leftovers(root)) <= (name in ("unlink", "rmdir"))
            if operation in ("new", "directory", "key") and made.done(root):
                continue
            assert in_child(lambda made=made, root=root: attempted(made, root)) == "done", (effect, at)
            assert made.done(root)
    assert points > 0 or name in ("link", "replace", "rename", "mkdir", "rmdir", "unlink")


def test_a_naive_writer_is_caught(tmp_path) -> None:
    """The same faults find what is wrong with writing in place."""
    torn = 0
    for at in range(1, 7):
        for effect in EFFECTS:
            root = str(tmp_path / f"{at}-{effect}")
            os.mkdir(root)
            NAIVE.prepare(root)

            def act(root=root, at=at, effect=effect) -> str:
                with Faults(root, name="write", at=at, effect=effect).active(), contextlib.suppress(OSError):
                    NAIVE.act(root)
                return "done"

            in_child(act)
            torn += not NAIVE.sound(root)
    assert torn >= 15


def calls_of(operation, root):
    operation.prepare(root)
    faults = Faults(root)
    with faults.active():
        operation.act(root)
    return faults.calls


def violations(operation, calls, root, *, states, seed) -> tuple[int, int]:
    """(states that are not sound, states after the end that have lost what was acknowledged) of random power cuts."""
    draw = random.Random(seed)
    broken = lost = 0
    for _ in range(states):
        cut = draw.randrange(len(calls) + 1)
        shutil.rmtree(root)
        os.mkdir(root)
        operation.prepare(root)
        Disk(calls[:cut], draw).lay_out(root)
        broken += not operation.sound(root)
        lost += cut == len(calls) and not operation.done(root)
    return broken, lost


@pytest.mark.parametrize("operation", OPERATIONS)
def test_power_cuts(operation, tmp_path) -> None:
    root = str(tmp_path / "disk")
    os.mkdir(root)
    calls = calls_of(OPERATIONS[operation], root)
    assert violations(OPERATIONS[operation], calls, root, states=150, seed=1) == (0, 0)


@pytest.mark.long
@pytest.mark.parametrize("operation", OPERATIONS)
def test_many_power_cuts(operation, tmp_path) -> None:
    root = str(tmp_path / "disk")
    os.mkdir(root)
    calls = calls_of(OPERATIONS[operation], root)
    assert violations(OPERATIONS[operation], calls, root, states=1200, seed=2) == (0, 0)


def test_power_cuts_find_what_is_not_synced(tmp_path) -> None:
    """Without the syncs the same writers lose and tear."""
    root = str(tmp_path / "disk")
    os.mkdir(root)
    calls = calls_of(OPERATIONS["replaced"], root)
    without = [call for call in calls if call.name != "fsync"]
    broken, lost = violations(OPERATIONS["replaced"], without, root, states=150, seed=3)
    assert broken > 5
    assert lost > 0
    no_directory = [call for call in calls if call.name != "fsync" or call.path != root]
    assert violations(OPERATIONS["replaced"], no_directory, root, states=150, seed=3)[1] > 0


def writers(root, *, count, seconds, seed, naive=False) -> tuple[int, int]:
    """Writers of results that are killed at random times: how many, and how many results are damaged or lost."""
    draw = random.Random(seed)
    acknowledged = os.path.join(root, "..", "acknowledged")
    end = time.monotonic() + seconds
    kills = 0
    running: dict[int, float] = {}
    while time.monotonic() < end or running:
        while len(running) < count and time.monotonic() < end:
            pid = os.fork()
            if pid == 0:
                try:
                    _write_forever(root, acknowledged, random.Random(draw.random() + os.getpid()), naive=naive)
                finally:
                    os._exit(1)
            running[pid] = time.monotonic() + draw.random() * 0.06
            draw.random()
        for pid, when in list(running.items()):
            if time.monotonic() >= when:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                del running[pid]
                kills += 1
        time.sleep(0.002)
    return kills, _damage(root, acknowledged)


def _payload(number) -> bytes:
    return b"%d " % number * 3000


def _write_forever(root, acknowledged, draw, *, naive) -> None:
    store = None if naive else ResultStore(root, resume=True, key=lambda: bytes(32))
    log = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    while True:
        number = draw.randrange(200)
        data = _payload(number)
        if naive:
            path = os.path.join(root, "objects", sha256(data).hex() + ".ntb")
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            for start in range(0, len(data), 512):
                os.write(handle, data[start : start + 512])
            os.close(handle)
        else:
            kept = store.keep(sha256(b"%d" % number), data, {"number": number})
            store.name(f"item-{number}", kept["bundle"])
        os.write(log, b"%d\n" % number)


def _damage(root, acknowledged) -> int:
    damage = 0
    for name in os.listdir(os.path.join(root, "objects")):
        if not name.startswith("."):
            with open(os.path.join(root, "objects", name), "rb") as file:
                damage += sha256(file.read()).hex() + ".ntb" != name
    with open(acknowledged) as log:
        numbers = {int(line) for line in log if line.endswith("\n")}
    for number in numbers:
        damage += not os.path.exists(os.path.join(root, "objects", sha256(_payload(number)).hex() + ".ntb"))
    return damage


def test_killed_writers(tmp_path) -> None:
    root = str(tmp_path / "results")
    kills, damage = writers(root, count=8, seconds=2, seed=1)
    assert kills > 60
    assert damage == 0


@pytest.mark.long
def test_a_thousand_kills(tmp_path) -> None:
    kills = damage = 0
    for number in itertools.count():
        os.makedirs(tmp_path / f"{number}")
        more, found = writers(str(tmp_path / f"{number}" / "results"), count=8, seconds=5, seed=number)
        kills, damage = kills + more, damage + found
        if kills >= 1000:
            break
    assert damage == 0


def test_naive_writers_are_caught(tmp_path) -> None:
    """It takes luck to kill one in the middle of a write: a second at a time until it happens."""
    for seed in range(30):
        results = tmp_path / f"{seed}" / "results"
        os.makedirs(results / "objects")
        if writers(str(results), count=4, seconds=1, seed=seed, naive=True)[1] > 0:
            return
    pytest.fail("half a minute of naive writers, and no damage was found")


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("limit", ["RLIMIT_FSIZE", "RLIMIT_NOFILE"])
def test_limits_of_the_system(operation, limit, tmp_path) -> None:
    root = str(tmp_path)
    made = OPERATIONS[operation]
    made.prepare(root)

    def act() -> str:
        kind = getattr(resource, limit)
        bound = 5000 if limit == "RLIMIT_FSIZE" else len(os.listdir("/proc/self/fd")) - 1
        resource.setrlimit(kind, (bound, resource.getrlimit(kind)[1]))
        return attempted(made, root)

    assert in_child(act) == "write-failed"
    assert made.sound(root)
    assert leftovers(root) == []
    assert in_child(lambda: attempted(made, root)) == "done"


@pytest.mark.parametrize("kilobytes", [8, 16, 24, 40, 64, 96, 160])
def test_a_full_disk(kilobytes, tmp_path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,nr_inodes=64", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("file systems cannot be mounted here")
    try:
        for name, made in OPERATIONS.items():
            root = str(disk / name)
            os.mkdir(root)
            try:
                made.prepare(root)
            except Exception:
                shutil.rmtree(root)
                continue
            said = in_child(lambda made=made, root=root: attempted(made, root))
            assert said in ("done", "write-failed"), name
            assert made.sound(root), name
            assert leftovers(root) == []
            assert said != "done" or made.done(root)
            shutil.rmtree(root)
            assert len(NEW) > 20_000
    finally:
        subprocess.run(["umount", str(disk)], check=True)
