"""Failures of outcomes in words: an error enum as RPC shows it, shortened to what a person asks about."""

import json
from collections.abc import Mapping
from typing import Any


def failure_text(failure: Mapping[str, Any]) -> str:
    """What a failure says, as short as its shape allows: the contract's own words, or the names of the error."""
    (kind, content), *_ = failure.items()
    if kind == "ActionError" and isinstance(content, dict):
        inner = content.get("kind")
        if isinstance(inner, dict) and "FunctionCallError" in inner:
            return _function_call_text(inner["FunctionCallError"])
        return f"{_words(inner)}"
    return f"{kind}: {_words(content)}"


def _function_call_text(error: Any) -> str:
    """A function call's error: the sentence of an execution error, else names and fields."""
    if isinstance(error, dict) and set(error) == {"ExecutionError"}:
        return str(error["ExecutionError"])
    return _words(error)


def _words(value: Any) -> str:
    """An error enum in words: `Name`, or `Name: fields`."""
    if isinstance(value, dict) and len(value) == 1:
        ((name, content),) = value.items()
        return f"{name}: {_words(content)}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
