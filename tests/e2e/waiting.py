"""Waiting for a condition, with a deadline and a word about what did not come."""

import time


def wait_for(what: str, condition, patience: float = 60.0):
    """Asks until the answer is something, and gives it. An assertion that fails is asked again, and so is
    a service that is not reached yet; both are shown when patience is over."""
    deadline = time.monotonic() + patience
    while True:
        told = None
        try:
            answer = condition()
        except (AssertionError, OSError) as failed:
            answer, told = None, failed
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience:.0f} s in vain: {what}") from told
        time.sleep(0.2)
