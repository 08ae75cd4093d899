#!/bin/sh
# Keys of the two simulated plants, made once: a root and a gateway each, and one collector.
set -eu
umask 077
stackproof keys new --out /keys/smelter --plant demo-smelter --gateway edge-1
[ -f /keys/kiln/collector.pem ] || cp -p /keys/smelter/collector.pem /keys/kiln/
stackproof keys new --out /keys/kiln --plant demo-kiln --gateway edge-1
