#!/bin/sh
# Keys of the two simulated plants, a root and a gateway each, and one collector; the broker's CA,
# its key and certificate. Made once. The broker's configuration is written each time.
set -eu
umask 077
stackproof keys new --out /keys/smelter --plant demo-smelter --gateway edge-1
[ -f /keys/kiln/collector.pem ] || cp -p /keys/smelter/collector.pem /keys/kiln/
stackproof keys new --out /keys/kiln --plant demo-kiln --gateway edge-1

stackproof cloud broker new --out /register --host broker --host "$BROKER_NAME"
cp /register/server.crt /register/server.pem /broker/
cp /register/ca.crt /keys/smelter/broker-ca.crt
cp /register/ca.crt /keys/kiln/broker-ca.crt
stackproof cloud broker config /config/cloud.toml --for mosquitto --out /broker --listen 0.0.0.0
