"""`make bench`: our times beside nearcore's, as ratios that do not depend on the machine, and what they may be.

Writes a list of `{case, block, ours_s, nearcore_s, ratio}` to BENCH_OUT (default build/bench.json). For rows that
are no block of a case, `block` is 0 and `nearcore_s` is what they are compared with: the bare interpreter for
start-up, delivering data for a timeout, the allowed time for loading. Memory is printed and stands in MiB under
`memory` of build/bench-memory.json.
"""

import argparse
import json
import os
import pathlib
import time
from typing import NamedTuple

from near_tee_cli.vm.engine import Engine
from near_tee_cli.vm.engine_thread import on_contract_thread
from tests.bench import blocks, processes
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
}
RECORDS = 100_000
RECORDS_SECONDS = 2.0
MANY_RECORDS = 1_000_000
MORE_SECONDS = 0.3
"""What a call on so many records may take more than one on a thousand."""
MEMORY_TARGETS = {"warm run": 100.0, "proving bench_state": 400.0}


class Row(NamedTuple):
    case: str
    block: int
    ours_s: float
    nearcore_s: float
    ratio: float


def case_rows(only: str | None, compiler: str | None, reference: dict) -> list[Row]:
    """The rows of every case that is here."""
    loop_s = best_of(9, loop)
    scale = reference["calibration"]["python_loop_s"] / loop_s
    print(
        f"calibration loop {loop_s:.4f} s, in the reference {reference['calibration']['python_loop_s']:.4f} s",
        flush=True,
    )
    rows = []
    for name in (f"bench_{case}" for case in CASES):
        path = next((folder / f"{name}.json" for folder in (OWN, SHARED) if (folder / f"{name}.json").is_file()), None)
        if path is None or (only and only not in name):
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


def memory() -> dict[str, float]:
    """Peak memory in MiB."""
    found = {"warm run": processes.peak_memory(processes.WARM_RUN)}
    case = SHARED / "bench_state.json"
    if case.is_file():
        found["proving bench_state"] = processes.peak_memory(["prove", "--case", str(case), "-o", "OUT"])
    for name, size in found.items():
        mark = "" if size < MEMORY_TARGETS[name] else "  ABOVE"
        print(f"{name:32}       {size:9.1f} MiB, at most {MEMORY_TARGETS[name]:.0f}{mark}", flush=True)
    return found


def shown(rows: list[Row]) -> None:
    for row in rows:
        target = TARGETS.get((row.case, row.block))
        note = "" if target is None else f"  at most {target:g}" + ("" if row.ratio <= target else "  ABOVE")
        place = f"block {row.block}" if row.block else ""
        ours, theirs = (f"{seconds * 1e3:10.3f} ms" for seconds in (row.ours_s, row.nearcore_s))
        print(f"{row.case:32} {place:8} {ours} {theirs}  ratio {row.ratio:6.2f}{note}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--only", help="cases whose name contains this, and nothing else")
    parser.add_argument("--compiler", help="winch or cranelift")
    options = parser.parse_args()
    reference = json.loads((OWN / "reference.json").read_text(encoding="utf-8"))
    begun = time.monotonic()
    rows = case_rows(options.only, options.compiler, reference)
    sizes: dict[str, float] = {}
    if options.only is None:
        rows += startup_rows()
        rows.append(resume_row())
        rows.append(snapshot_row(reference))
        rows.append(large_state_row())
        sizes = memory()
    out = pathlib.Path(os.environ.get("BENCH_OUT") or PROJECT / "build" / "bench.json")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps([row._asdict() for row in rows], indent=1) + "\n", encoding="utf-8")
    if sizes:
        out.with_name(out.stem + "-memory.json").write_text(json.dumps(sizes, indent=1) + "\n", encoding="utf-8")
    above = [row for row in rows if row.ratio > TARGETS.get((row.case, row.block), float("inf"))]
    print(f"{len(rows)} rows in {out}, {len(above)} above what they should be, after {time.monotonic() - begun:.0f} s")


main()
