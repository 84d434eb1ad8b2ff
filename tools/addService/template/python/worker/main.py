"""A minimal worker. Replace `work`; the rest is what Kubernetes needs: on SIGTERM, finish the job in hand and end."""

import json
import os
import signal

VERSION = os.environ.get("VERSION", "dev")
POD = os.environ.get("HOSTNAME", "")


def work():
    """One job, such as a message from a queue. Finish it within `shutdownSeconds` (40), or hand it back."""
    print(json.dumps({"worker": "new-service", "version": VERSION, "pod": POD, "did": "nothing"}), flush=True)


signals = {signal.SIGTERM, signal.SIGINT}
signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # They wait for the pause between two jobs, and end it.
while True:
    work()
    if signal.sigtimedwait(signals, 10) is not None:
        break
