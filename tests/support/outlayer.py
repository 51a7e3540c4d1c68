"""Events as OutLayer's contracts log them, and programs asked for by hash."""

import json

PREFIX = "EVENT_JSON:"

NEW = {
    "request_id": 0, "sender_id": "user.near", "predecessor_id": "app.near",
    "code_source": {"WasmUrl": {"url": "https://x/y.wasm", "hash": "ab" * 32, "build_target": "wasm32-wasip1"}},
    "resource_limits": {"max_instructions": 1000, "max_memory_mb": 1, "max_execution_seconds": 5},
    "input_data": "hi", "input_data_in_state": False, "secrets_ref": None, "response_format": "Json",
    "payment": "100000000000000000000000", "attached_usd": "0", "timestamp": 2000000100, "compile_only": False,
    "force_rebuild": False, "store_on_fastfs": False, "use_bound_identity": False, "project_uuid": None,
    "project_id": None,
}  # fmt: skip
"""The request data of the present contract, as executing it logs them."""

OLD = {
    "request_id": 0, "sender_id": "user.near",
    "code_source": {"repo": "https://x/y", "commit": "main", "build_target": "wasm32-wasip1"},
    "resource_limits": {"max_instructions": 1000, "max_memory_mb": 1, "max_execution_seconds": 5},
    "input_data": "hi", "secrets_ref": None, "response_format": "Text", "payment": "100000000000000000000000",
    "timestamp": 2000000100,
}  # fmt: skip
"""The request data of the older one."""

DATA_ID = bytes(range(32))


def item(request_data, *, data_id=DATA_ID, timestamp=2000000100):
    """One request of an event."""
    return {"request_data": json.dumps(request_data), "data_id": list(data_id), "timestamp": timestamp}


def log_of(*items, standard="near-outlayer", event="execution_requested", **more):
    """A log with these requests."""
    data = {"standard": standard, "version": "1.0.0", "event": event, "data": list(items), **more}
    return PREFIX + json.dumps(data)
