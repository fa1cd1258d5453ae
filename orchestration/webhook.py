"""Posting a message to the configured webhook; what is posted is the business of others."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

# A webhook that hangs must not hold the lock that the next run waits for.
TIMEOUT_SECONDS = 10


def post(url: str, message: Mapping[str, Any]) -> str:
    """Post the message as JSON.

    Returns:
        What went wrong, without the address, which may hold a secret; empty if nothing did.
    """
    body = json.dumps(message, ensure_ascii=False).encode()
    try:
        request = urllib.request.Request(
            url, data=body, headers={"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):
            return ""
    except urllib.error.HTTPError as error:
        return f"it answered with status {error.code}"
    except (OSError, ValueError) as error:
        return f"it could not be reached ({type(error).__name__})"
