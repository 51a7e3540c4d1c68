"""What every test run has in common: Hypothesis profiles, and paths of the project's own data.

The default profile is derandomized, so that a run on one machine repeats on another. The `long` profile
(`make test-long`, or HYPOTHESIS_PROFILE=long) draws new examples on every run and prints the seed to repeat it.
"""

import os
import pathlib

import hypothesis
import pytest

PROJECT = pathlib.Path(__file__).resolve().parent.parent

_SLOW_IS_FINE = [hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.data_too_large]
hypothesis.settings.register_profile(
    "default", max_examples=200, derandomize=True, deadline=None, database=None, suppress_health_check=_SLOW_IS_FINE
)
hypothesis.settings.register_profile(
    "long", max_examples=5000, deadline=None, print_blob=True, database=None, suppress_health_check=_SLOW_IS_FINE
)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything under tests/property, and what compares two implementations, belongs to the long run as well."""
    for item in items:
        if "/property/" in item.nodeid or "differential" in item.nodeid:
            item.add_marker("property")


@pytest.fixture(scope="session")
def project() -> pathlib.Path:
    """The root directory of the project."""
    return PROJECT


@pytest.fixture(scope="session")
def vectors() -> pathlib.Path:
    """The directory of all recorded cases beside the project; tests that ask for it are skipped without it."""
    folder = PROJECT.parent / "shared" / "vectors"
    if not folder.is_dir():
        pytest.skip("the directory of all recorded cases is not here")
    return folder
