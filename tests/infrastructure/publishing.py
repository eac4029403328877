"""A process that publishes a store's log until it is ended: `python -m tests.infrastructure.publishing …`.

Arguments: the store's URL, the ledger's folder, a trust policy's file. It says each size that was witnessed.
"""

import sys
import time
from pathlib import Path

from domain.errors import LedgerDiverged, Unavailable
from infrastructure.attestation import Attestation, Pace
from infrastructure.clock import SystemClock
from infrastructure.courier import Courier
from infrastructure.database import open_store
from infrastructure.ledger_files import LedgerFolder
from infrastructure.ledger_publisher import LedgerPublisher
from infrastructure.telemetry import configure_logging
from infrastructure.trust import Trust, load_policy
from infrastructure.witnesses import WitnessClient
from tests.infrastructure.ledger_samples import KEY


def publish(url: str, folder: Path, policy: Path) -> None:
    """Publish and have it witnessed, over and over."""
    store, clock = open_store(url, clock=SystemClock()), SystemClock()
    trust = Trust(KEY.verifier, load_policy(policy, needed=True))
    clients = [
        WitnessClient(one, Courier(f"{one.url}/add-checkpoint"), clock) for one in trust.written.witnesses
    ]
    attestation = Attestation(trust, LedgerFolder(folder), clients, None, Pace(1, 1, 2))
    publisher = LedgerPublisher(
        store.recorder, store.ledger_latch, KEY, folder, trust=trust, attestation=attestation
    )
    said = 0
    while True:
        head = store.recorder.head()
        try:
            if head is not None and head + 1 > said:
                publisher.publish_witnessed(head)
                said = head + 1
                sys.stdout.write(f"{said}\n")
        except LedgerDiverged as error:
            sys.stdout.write(f"{error}\n")
        except Unavailable:
            time.sleep(0.01)
        sys.stdout.flush()
        time.sleep(0.002)


if __name__ == "__main__":
    configure_logging("CRITICAL", "json", sys.stderr)
    publish(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
