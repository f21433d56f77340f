"""What logins came to, for the page that their browsers see: kept for ten minutes."""

import json
from typing import Any

from ...domain.tokens.oauth import STATE_SECONDS
from ..transaction import Transaction


def save(transaction: Transaction, browser_hash: str, result: dict[str, Any]) -> None:
    """Keep the result for this browser, in place of an earlier one. Forget those that are old."""
    now = transaction.now_ms()
    transaction.execute("DELETE FROM oauth_results WHERE expires_at_ms <= %s", [now])
    transaction.execute(
        "INSERT INTO oauth_results (browser_hash, result, expires_at_ms) VALUES (%s, %s, %s)"
        " ON CONFLICT (browser_hash) DO UPDATE SET result = excluded.result,"
        " expires_at_ms = excluded.expires_at_ms",
        [browser_hash, json.dumps(result), now + STATE_SECONDS * 1000],
    )


def find(transaction: Transaction, browser_hash: str) -> dict[str, Any] | None:
    """The result that is kept for this browser, or None."""
    rows = transaction.execute(
        "SELECT result FROM oauth_results WHERE browser_hash = %s AND expires_at_ms > %s",
        [browser_hash, transaction.now_ms()],
    )
    return json.loads(rows[0][0]) if rows else None
