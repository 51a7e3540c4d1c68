"""`python -m tests.fuzz [--seconds N] [TARGET...]`: mutate for N seconds per parser, keep what is found."""

import argparse
import hashlib
import random
import time

from tests.fuzz.mutation import mutated
from tests.fuzz.running import CORPUS, Finding, stored, tried
from tests.fuzz.targets import TARGETS


def main() -> int:
    """Fuzz; how many inputs were found, as the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("targets", nargs="*")
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(10**9) if given.seed is None else given.seed
    print(f"seed {seed}")
    found = sum(fuzz(name, given.seconds, seed) for name in given.targets or TARGETS)
    return min(found, 100)


def fuzz(name: str, seconds: float, seed: int) -> int:
    """Mutate for one parser. Inputs that it takes become seeds of further ones."""
    target, draw = TARGETS[name], random.Random(f"{seed} {name}")
    pool = target.seeds() + stored(name)
    end, count, taken, findings = time.monotonic() + seconds, 0, 0, {}
    while time.monotonic() < end:
        data = mutated(draw, draw.choice(pool), pool)
        count += 1
        try:
            if tried(target, data):
                taken += 1
                if len(pool) < 500:
                    pool.append(data)
        except Finding as finding:
            findings.setdefault(str(finding)[:40], data)
    for message, data in findings.items():
        folder = CORPUS / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
        print(f"  {name}: {message}")
    print(f"{name:16} {count:9,} inputs, {taken:8,} taken, {len(findings)} findings", flush=True)
    return len(findings)


if __name__ == "__main__":
    raise SystemExit(main())
