#!/bin/sh
# Keys of the two simulated plants, a root and a gateway each, and one collector; the broker's CA,
# its key and certificate. Made once. The broker's configuration is written each time.
# All are made in /made, which no running service sees; each service gets its own.
set -eu
umask 077
mkdir -p /made/smelter /made/kiln /keys/cloud/smelter /keys/cloud/kiln
stackproof keys new --out /made/smelter --plant demo-smelter --gateway edge-1
[ -f /made/kiln/collector.pem ] || cp -p /made/smelter/collector.pem /made/kiln/
stackproof keys new --out /made/kiln --plant demo-kiln --gateway edge-1
cp /made/smelter/collector.pem /keys/cloud/
for plant in smelter kiln; do
    cd /made/$plant
    cp root.crt collector.crt edge-1.crt /keys/cloud/$plant/
    cp edge-1.pem edge-1.crt collector.crt /keys/$plant/
done

stackproof cloud broker new --out /register --host broker --host "$BROKER_NAME"
cp /register/server.crt /register/server.pem /broker/
cp /register/ca.crt /keys/smelter/broker-ca.crt
cp /register/ca.crt /keys/kiln/broker-ca.crt
stackproof cloud broker config /config/cloud.toml --for mosquitto --out /broker --listen 0.0.0.0
