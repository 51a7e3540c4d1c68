"""The steps of a directory as a forest: each under the one that it went on from."""

import os
from collections.abc import Iterator
from typing import NamedTuple

from near_tee_cli.errors import BadInputError
from near_tee_cli.workspace.step_files import Summary, is_step, read_summary


class Node(NamedTuple):
    """A step and those that went on from it."""

    summary: Summary
    children: tuple["Node", ...]


class Forest(NamedTuple):
    """What a directory holds."""

    roots: tuple[Node, ...]
    """Steps whose parent is not there, by name."""
    unreadable: tuple[tuple[str, str], ...]
    """(Path, reason) of what looks like a step and cannot be read."""


def read_forest(directory: str) -> Forest:
    """The steps directly in `directory`, or the one that `directory` is. Raises `BadInputError` (`not-a-directory`)."""
    summaries: dict[bytes, Summary] = {}
    unreadable = []
    for path in _candidates(directory):
        try:
            summary = read_summary(path)
        except BadInputError as error:
            unreadable.append((path, error.message))
            continue
        summaries.setdefault(summary.digest, summary)
    children: dict[bytes | None, list[Summary]] = {}
    for summary in summaries.values():
        parent = summary.parent if summary.parent in summaries else None
        children.setdefault(parent, []).append(summary)
    return Forest(_nodes(children), tuple(unreadable))


def _nodes(children: dict[bytes | None, list[Summary]]) -> tuple[Node, ...]:
    """Nodes from the leaves up, without recursion: a chain of steps may be long. A digest cannot name its own heir."""
    order: list[Summary] = list(children.get(None, ()))
    for summary in order:
        order.extend(children.get(summary.digest, ()))
    made: dict[bytes, Node] = {}
    for summary in reversed(order):
        below = tuple(made[child.digest] for child in children.get(summary.digest, ()))
        made[summary.digest] = Node(summary, below)
    return tuple(made[summary.digest] for summary in children.get(None, ()))


def _candidates(directory: str) -> list[str]:
    if is_step(directory):
        return [directory]
    try:
        names = sorted(os.listdir(directory))
    except OSError as error:
        raise BadInputError(
            f"{directory} is no directory of steps: {error.strerror or error}", code="not-a-directory"
        ) from error
    paths = [os.path.join(directory, name) for name in names if not name.startswith(".")]
    return [path for path in paths if is_step(path)]


def walk(roots: tuple[Node, ...]) -> Iterator[tuple[int, Node]]:
    """Depth and node, parents before children."""
    waiting = [(0, node) for node in reversed(roots)]
    while waiting:
        depth, node = waiting.pop()
        yield depth, node
        waiting.extend((depth + 1, child) for child in reversed(node.children))
