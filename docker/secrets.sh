#!/bin/sh
# Makes what docker-compose.yml takes as secrets, in docker/secrets: once, existing ones are kept.
# Containers of several users read the files, so the folder is the owner's alone, not each file.
set -eu
umask 022
folder=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)/secrets
mkdir -p "$folder"
chmod 700 "$folder"
# what is mounted beside it, of a checkout made under umask 077
find "$folder/.." -mindepth 1 -maxdepth 1 ! -name secrets -exec chmod -R go+rX {} +
cd "$folder"
for secret in grafana-password influxdb-password influxdb-token; do
    if [ ! -s "$secret" ]; then # an empty one is what a full disk or a kill left
        openssl rand -hex 24 >"$secret.new"
        mv "$secret.new" "$secret"
    fi
done
