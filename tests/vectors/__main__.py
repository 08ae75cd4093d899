"""Write the vectors: `python -m tests.vectors > tests/vectors/frames.json`."""

import json
import sys

from tests.vectors.made import good
from tests.vectors.refused import refused

sys.stdout.write(json.dumps([*good(), *refused()], indent=0, ensure_ascii=False) + "\n")
