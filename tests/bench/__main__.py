"""`make bench`: our times beside nearcore's, as ratios that do not depend on the machine, and what they may be.

Writes a list of `{case, block, ours_s, nearcore_s, ratio}` to BENCH_OUT (default build/bench.json). For rows that
are no block of a case, `block` is 0 and `nearcore_s` is what they are compared with: the bare interpreter for
start-up, delivering data for a timeout, running for proving and verifying, half of what one child takes for a batch
with two, the allowed time for loading, checking without execution and a batch. So it is for `prove` and `verify` of a
block too. Memory is printed and stands in MiB in build/bench-memory.json, sizes of bundles in KiB in
build/bench-sizes.json.
"""

import argparse
import json
import os
import pathlib
import tempfile
import time
from collections.abc import Iterator
from typing import NamedTuple

from near_tee_cli.vm.engine import Engine
from near_tee_cli.vm.engine_thread import on_contract_thread
from tests.bench import blocks, processes, proofs, transfers
from tests.bench.calibration import best_of, loop

PROJECT = processes.PROJECT
OWN = PROJECT / "fixtures" / "bench"
SHARED = PROJECT.parent / "shared" / "bench"
CASES = ("compute", "hostcalls", "storage", "crypto", "prepare", "tokens", "transfers", "sdk", "state")
FIRST = {"bench_prepare": (2,)}

# (case, block) -> the ratio that it should stay below.
TARGETS = {
    ("bench_compute", 2): 1.5,
    ("bench_hostcalls", 2): 13.0,
    ("bench_storage", 2): 12.0,
    ("bench_storage", 4): 12.0,
    ("bench_crypto", 2): 5.0,
    ("bench_crypto", 4): 2.0,
    ("bench_prepare (first)", 2): 2.5,
    ("bench_prepare", 2): 4.0,
    ("bench_tokens", 3): 5.0,
    ("bench_transfers", 1): 25.0,
    ("bench_transfers", 2): 40.0,
    ("bench_transfers", 3): 40.0,
    ("bench_sdk", 4): 1.0,
    ("bench_sdk", 5): 1.0,
    ("bench_state", 1): 30.0,
    ("bench_state", 2): 30.0,
    ("bench_state", 3): 30.0,
    ("bench_state on disk", 1): 60.0,
    ("bench_state on disk", 2): 60.0,
    ("bench_state on disk", 3): 60.0,
    ("near-tee --version", 0): 2.8,
    ("near-tee --help", 0): 14.0,
    ("near-tee run --json (warm)", 0): 10.0,
    ("resume --timeout (200 heights)", 0): 2.0,
    ("100,000 records to their root", 0): 1.0,
    ("a call on 1,000,000 records", 0): 1.0,
    ("prove status-message", 0): 1.6,
    ("prove token transfer", 0): 1.6,
    ("prove bench_sdk", 4): 2.8,
    ("verify status-message", 0): 1.3,
    ("verify token transfer", 0): 1.3,
    ("verify bench_sdk", 4): 1.6,
    ("prove --batch --jobs 2", 0): 1.15,
    ("1,000 proofs in 40 s", 0): 1.0,
}
NO_REPLAY = "verify --no-replay"
RECORDS = 100_000
RECORDS_SECONDS = 2.0
MANY_RECORDS = 1_000_000
MORE_SECONDS = 0.3
"""What a call on so many records may take more than one on a thousand."""
MEMORY_TARGETS = {"warm run": 100.0, "proving bench_state": 400.0, "growth of a batch's parent": 20.0}
NO_REPLAY_SECONDS = 0.020
NO_REPLAY_SECONDS_PER_MIB = 0.005
ITEMS = 1_000
ITEMS_SECONDS = 40.0


class Amount(NamedTuple):
    """Something measured that is no time."""

    name: str
    found: float
    limit: float
    unit: str


class Row(NamedTuple):
    case: str
    block: int
    ours_s: float
    nearcore_s: float
    ratio: float


def cases_here() -> Iterator[tuple[str, pathlib.Path]]:
    """Name and file of every case that is here."""
    for name in (f"bench_{case}" for case in CASES):
        path = next((folder / f"{name}.json" for folder in (OWN, SHARED) if (folder / f"{name}.json").is_file()), None)
        if path is not None:
            yield name, path


def case_rows(only: str | None, compiler: str | None, reference: dict) -> list[Row]:
    """The rows of every case that is here."""
    loop_s = best_of(9, loop)
    scale = reference["calibration"]["python_loop_s"] / loop_s
    print(
        f"calibration loop {loop_s:.4f} s, in the reference {reference['calibration']['python_loop_s']:.4f} s",
        flush=True,
    )
    rows = []
    for name, path in cases_here():
        if only and only not in name:
            continue
        engine = Engine(compiler)
        measured = on_contract_thread(lambda: blocks.times(path, engine, first_for=FIRST.get(name, ())))  # noqa: B023
        for found in measured:
            theirs = reference["cases"][name][found.block - 1]
            if found.first_s is not None:
                ratio = found.first_s * scale / theirs["first_s"]
                rows.append(Row(f"{name} (first)", found.block, found.first_s, theirs["first_s"], ratio))
            rows.append(Row(name, found.block, found.best_s, theirs["best_s"], found.best_s * scale / theirs["best_s"]))
        shown(rows[-len(measured) - len(FIRST.get(name, ())) :])
        if name == "bench_state":
            found = on_contract_thread(lambda: blocks.times_on_disk(path, engine))  # noqa: B023
            theirs = [entry["best_s"] for entry in reference["cases"][name]]
            rows += [
                Row(f"{name} on disk", one.block, one.best_s, theirs[one.block - 1],
                    one.best_s * scale / theirs[one.block - 1])
                for one in found
            ]  # fmt: skip
            shown(rows[-len(found) :])
    return rows


def large_state_row() -> Row:
    """A call on a state directory with very many records, beside the same on few."""
    few, many = processes.calls_on_directories(1_000, MANY_RECORDS)
    row = Row("a call on 1,000,000 records", 0, many, few + MORE_SECONDS, many / (few + MORE_SECONDS))
    shown([row])
    return row


def startup_rows() -> list[Row]:
    measured = processes.startup()
    base = measured.pop("python -c pass")
    rows = [Row(name, 0, seconds, base, seconds / base) for name, seconds in measured.items()]
    shown(rows)
    return rows


def resume_row() -> Row:
    """Moving on to a timeout over empty heights, beside delivering data."""
    with_data, timeout = processes.resumes()
    row = Row("resume --timeout (200 heights)", 0, timeout, with_data, timeout / with_data)
    shown([row])
    return row


def snapshot_row(reference: dict) -> Row:
    """From the bytes of a JSON snapshot to its root."""
    from near_tee_cli.workspace.snapshot_files import read_snapshot
    from near_tee_cli.workspace.snapshots import world_of

    data = processes.snapshot_of(RECORDS)
    scale = reference["calibration"]["python_loop_s"] / best_of(9, loop)
    seconds = best_of(3, lambda: world_of(read_snapshot(data, "it").snapshot))
    row = Row("100,000 records to their root", 0, seconds, RECORDS_SECONDS, seconds * scale / RECORDS_SECONDS)
    shown([row])
    return row


def call_proof_rows() -> list[Row]:
    """Whole commands that prove and verify a call of a near-sdk contract, beside the one that runs it."""
    rows = []
    for name, call in (("status-message", processes.STATUS_CALL), ("token transfer", transfers.transfer())):
        run, prove, verify = processes.proofs(call)
        rows += [Row(f"prove {name}", 0, prove, run, prove / run), Row(f"verify {name}", 0, verify, run, verify / run)]
    shown(rows)
    return rows


def block_proof_rows(compiler: str | None) -> list[Row]:
    """Proving and verifying a block in this process, beside applying it."""
    name, number = "bench_sdk", 4
    path = dict(cases_here())[name]
    found = on_contract_thread(lambda: proofs.block_times(path, Engine(compiler), number))
    rows = [
        Row(f"{what} {name}", number, seconds, found.run_s, seconds / found.run_s)
        for what, seconds in (("prove", found.prove_s), ("verify", found.verify_s))
    ]
    shown(rows)
    return rows


def consistency_rows(reference: dict, compiler: str | None) -> list[Row]:
    """Checking without execution: the bundle of a token transfer, and those of whole cases."""
    scale = reference["calibration"]["python_loop_s"] / best_of(9, loop)
    with tempfile.TemporaryDirectory() as home:
        data = transfers.proved(home, transfers.transfer())
    measured = [("token transfer", proofs.ConsistentTime(proofs.consistent_seconds(data), len(data)))]
    for name, path in cases_here():
        measured.append((name, on_contract_thread(lambda: proofs.consistent_time(path, Engine(compiler)))))  # noqa: B023
    rows = []
    for name, (seconds, size) in measured:
        allowed = NO_REPLAY_SECONDS + NO_REPLAY_SECONDS_PER_MIB * size / (1 << 20)
        rows.append(Row(f"{NO_REPLAY} {name}", 0, seconds, allowed, seconds * scale / allowed))
    shown(rows)
    return rows


def batch_rows(reference: dict) -> tuple[list[Row], list[Amount]]:
    """Many small proofs by two children at once, beside half of what one takes and beside the allowed time."""
    scale = reference["calibration"]["python_loop_s"] / best_of(9, loop)
    alone, two = processes.batches(ITEMS, 1, 2)
    half = alone.seconds / 2
    rows = [
        Row("prove --batch --jobs 2", 0, two.seconds, half, two.seconds / half),
        Row("1,000 proofs in 40 s", 0, two.seconds, ITEMS_SECONDS, two.seconds * scale / ITEMS_SECONDS),
    ]
    shown(rows)
    return rows, [] if two.grown is None else memory_shown({"growth of a batch's parent": two.grown})


def memory() -> list[Amount]:
    """Peak memory in MiB."""
    found = {"warm run": processes.peak_memory(processes.WARM_RUN)}
    case = SHARED / "bench_state.json"
    if case.is_file():
        found["proving bench_state"] = processes.peak_memory(["prove", "--case", str(case), "-o", "OUT"])
    return memory_shown(found)


def memory_shown(found: dict[str, float]) -> list[Amount]:
    return amounts_shown([Amount(name, size, MEMORY_TARGETS[name], "MiB") for name, size in found.items()])


def sizes() -> list[Amount]:
    """Sizes of bundles in KiB."""
    with tempfile.TemporaryDirectory() as home:
        measured = {
            "bundle of a token transfer": transfers.with_code(home),
            "detached, on 20,000 records": transfers.without_code(home),
        }
    return amounts_shown([Amount(name, size / 1024, limit / 1024, "KiB") for name, (size, limit) in measured.items()])


def amounts_shown(amounts: list[Amount]) -> list[Amount]:
    for name, found, limit, unit in amounts:
        mark = "" if found <= limit else "  ABOVE"
        print(f"{name:36}   {found:9.1f} {unit}  at most {limit:.1f}{mark}", flush=True)
    return amounts


def target_of(row: Row) -> float | None:
    return 1.0 if row.case.startswith(NO_REPLAY) else TARGETS.get((row.case, row.block))


def shown(rows: list[Row]) -> None:
    for row in rows:
        target = target_of(row)
        note = "" if target is None else f"  at most {target:g}" + ("" if row.ratio <= target else "  ABOVE")
        place = f"block {row.block}" if row.block else ""
        ours, theirs = (f"{seconds * 1e3:10.3f} ms" for seconds in (row.ours_s, row.nearcore_s))
        print(f"{row.case:36} {place:8} {ours} {theirs}  ratio {row.ratio:6.2f}{note}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--only", help="cases whose name contains this, and nothing else")
    parser.add_argument("--proofs", action="store_true", help="proofs and bundles, and nothing else")
    parser.add_argument("--compiler", help="winch or cranelift")
    options = parser.parse_args()
    reference = json.loads((OWN / "reference.json").read_text(encoding="utf-8"))
    begun = time.monotonic()
    rows: list[Row] = []
    amounts: dict[str, list[Amount]] = {}
    if not options.proofs:
        rows += case_rows(options.only, options.compiler, reference)
    if options.only is None and not options.proofs:
        rows += startup_rows()
        rows.append(resume_row())
        rows.append(snapshot_row(reference))
        rows.append(large_state_row())
        amounts["memory"] = memory()
    if options.only is None:
        rows += call_proof_rows()
        rows += block_proof_rows(options.compiler)
        rows += consistency_rows(reference, options.compiler)
        batch, grown = batch_rows(reference)
        rows += batch
        amounts["memory"] = [*amounts.get("memory", ()), *grown]
        amounts["sizes"] = sizes()
    out = pathlib.Path(os.environ.get("BENCH_OUT") or PROJECT / "build" / "bench.json")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps([row._asdict() for row in rows], indent=1) + "\n", encoding="utf-8")
    for kind, found in amounts.items():
        document = {amount.name: amount.found for amount in found}
        out.with_name(f"{out.stem}-{kind}.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    above = [row for row in rows if row.ratio > (target_of(row) or float("inf"))]
    above += [amount for found in amounts.values() for amount in found if amount.found > amount.limit]
    print(f"{len(rows)} rows in {out}, {len(above)} above what they should be, after {time.monotonic() - begun:.0f} s")


main()
