"""What a phone reads of a pull."""

from typing import Any

import msgspec

from backend.sync.pull import Pulled


def changes_of(pulled: Pulled) -> list[dict[str, Any]]:
    return list(msgspec.json.decode(pulled.changes))
