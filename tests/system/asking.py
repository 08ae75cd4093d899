"""Asks addresses of the side it runs on: an address a line comes in, its JSON a line goes out.

An answer that does not come within two seconds, or is none, is "null".
"""

import json
import sys
import urllib.request

if __name__ == "__main__":
    for line in sys.stdin:
        try:
            with urllib.request.urlopen(line.strip(), timeout=2) as answer:
                told = json.load(answer)
        except (OSError, ValueError):
            told = None
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
