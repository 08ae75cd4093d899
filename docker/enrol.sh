#!/bin/sh
# Each gateway asks for a certificate for the broker and the running collector gives it: as
# docs/deploy.md says, but that nobody compares the key, which is here for whoever reads both.
# Again where the last one here is 20 days old: of its 30 a stack that was away has few, or none.
set -eu
umask 077
for plant in smelter kiln; do
    certificate=/keys/$plant/broker.crt
    [ -z "$(find "$certificate" -mtime -20 2>/dev/null)" ] || continue
    made=$(mktemp -d)
    key=$(stackproof edge enrol /config/edge-$plant.toml --out "$made/request" |
        sed -n 's/^key SHA-256: //p')
    stackproof cloud broker request /config/cloud.toml "$made/request" --out "$made/crt"
    [ -f "$made/crt" ] || stackproof cloud broker approve /config/cloud.toml \
        --plant demo-$plant --gateway edge-1 --key "$key" --out "$made/crt"
    cp "$made/crt" "$certificate.part"
    mv "$certificate.part" "$certificate"
    rm -r "$made"
done
