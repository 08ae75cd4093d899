"""What of a frame nobody can spare: parse it, verify it, write it, one fdatasync for all.

`python -m tests.bench.load.floor` prints microseconds of CPU a frame.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from evidence import cbor, cose
from evidence.keys import generate
from tests.bench.load.ingest_gateways import Made, make

FRAMES, ROUNDS = 300, 30


def floor_us() -> float:
    """Microseconds of CPU a frame, in this process."""
    with tempfile.TemporaryDirectory() as name:
        collector = generate()
        (gateway,) = make(Made(Path(name), "00", 1, FRAMES), collector)
        public = gateway.signer.public_key
        assert isinstance(public, Ed25519PublicKey)
        file = os.open(Path(name) / "bare", os.O_WRONLY | os.O_CREAT)
        began_s = time.process_time()
        for _ in range(ROUNDS):
            os.lseek(file, 0, os.SEEK_SET)
            for data in gateway.objects:
                parsed = cose.parse(data)
                signed = cbor.encode(["Signature1", parsed.protected, b"", parsed.payload])
                public.verify(parsed.signature, signed)
                os.write(file, data)
            os.fdatasync(file)
        spent_s = time.process_time() - began_s
        os.close(file)
    return 1e6 * spent_s / len(gateway.objects) / ROUNDS


def two_floors_us() -> list[float]:
    """The same in each of two processes at a time."""
    command = [sys.executable, "-m", "tests.bench.load.floor"]
    two = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    return [float(process.communicate()[0]) for process in two]


if __name__ == "__main__":
    print(floor_us())
