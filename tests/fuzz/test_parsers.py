"""What was found once, and the same mutations each time."""

import random

import pytest

from tests.fuzz.mutation import mutated
from tests.fuzz.running import CORPUS, stored, tried
from tests.fuzz.targets import TARGETS

COUNT = 300


def test_there_are_enough_parsers() -> None:
    assert len(TARGETS) >= 14
    assert {path.name for path in CORPUS.iterdir()} <= set(TARGETS)


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_taken(name) -> None:
    seeds = TARGETS[name].seeds()
    assert seeds
    if name not in ("step", "contract", "stored-receipt"):
        assert all(tried(TARGETS[name], seed) for seed in seeds)


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_found_before(name) -> None:
    for data in stored(name):
        tried(TARGETS[name], data)


@pytest.mark.parametrize("name", TARGETS)
def test_mutations(name) -> None:
    draw, pool = random.Random(name), TARGETS[name].seeds()
    count = COUNT // 10 if name in ("case", "snapshot-json", "snapshot-borsh") else COUNT
    for _ in range(count):
        tried(TARGETS[name], mutated(draw, draw.choice(pool), pool))
