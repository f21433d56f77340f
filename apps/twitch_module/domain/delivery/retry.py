"""When a failed delivery is tried again."""

# Seconds after the 1st, 2nd, ... failure: nine retries over 28 hours.
DELAYS_SECONDS = (5, 30, 120, 600, 3600, 7200, 18000, 36000, 36000)
JITTER = 0.2  # each delay is spread by this share, so that failures do not come back together


def next_delay_seconds(
    attempts: int, chance: float, retry_after_seconds: float | None = None
) -> float | None:
    """How long to wait after `attempts` tries have failed, or None to give up.

    `chance` is a random number between 0 and 1. What the other side asked for in Retry-After
    is honoured between the delay and twice the delay.
    """
    if attempts > len(DELAYS_SECONDS):
        return None
    delay = DELAYS_SECONDS[attempts - 1] * (1 - JITTER + 2 * JITTER * chance)
    if retry_after_seconds is not None:
        delay = min(max(delay, retry_after_seconds), 2 * delay)
    return delay
