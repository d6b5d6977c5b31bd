"""A run's state on disk: in parts small enough to carry anywhere, complete or not there at all."""

import io
import json
import os
from pathlib import Path
from typing import Any

import torch

PART_BYTES = 15 << 20
_INDEX = "state.json"


def save_state(
    folder: Path, step: int, state: dict[str, Any], part_bytes: int = PART_BYTES
) -> None:
    """Writes `state` as the folder's only one; a kill at any moment leaves the one before or this one, whole."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    data = buffer.getbuffer()
    names: list[str] = []
    for number, start in enumerate(range(0, len(data), part_bytes)):
        names.append(f"state-{step:07d}.part{number:02d}")
        _write(folder / names[-1], data[start : start + part_bytes])
    index = folder / "state.partial"
    _write(
        index, json.dumps({"step": step, "parts": names, "bytes": len(data)}).encode()
    )
    index.replace(folder / _INDEX)
    for old in folder.glob("state-*.part*"):
        if old.name not in names:
            old.unlink()


def load_state(folder: Path, device: torch.device) -> dict[str, Any] | None:
    """The folder's state, or None where there is none yet.

    Raises:
        ValueError: parts are missing or damaged.
    """
    try:
        index = json.loads((folder / _INDEX).read_text())
    except FileNotFoundError:
        return None
    try:
        data = b"".join((folder / name).read_bytes() for name in index["parts"])
        if len(data) != index["bytes"]:
            raise ValueError(f"{len(data)} bytes instead of {index['bytes']}")
        state: dict[str, Any] = torch.load(
            io.BytesIO(data), map_location=device, weights_only=True
        )
    except Exception as error:  # torch.load raises whatever its parsers raise
        raise ValueError(
            f"{folder}: the saved state is damaged ({error}); delete the folder to start again"
        ) from error
    return state


def _write(path: Path, data: bytes | memoryview) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
