#!/bin/sh
# Makes what docker-compose.yml takes as secrets, in docker/secrets: once, existing ones are kept.
# Containers of several users read the files, so the folder is the owner's alone, not each file.
#
#   sh docker/secrets.sh [NAME]      NAME: what gateways call the broker's machine (localhost)
set -eu
umask 022
folder=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)/secrets
mkdir -p "$folder"
chmod 700 "$folder"
cd "$folder"
for secret in grafana-password influxdb-password influxdb-token; do
    [ -f "$secret" ] || openssl rand -hex 24 >"$secret"
done
[ ! -f broker.crt ] || exit 0
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
    -subj "/CN=stackproof broker root" -keyout broker-ca.key -out broker-ca.crt
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -subj "/CN=${1:-localhost}" -keyout broker.key -out broker.csr
printf 'subjectAltName=DNS:%s,DNS:broker\n' "${1:-localhost}" >broker.ext
openssl x509 -req -in broker.csr -CA broker-ca.crt -CAkey broker-ca.key -CAcreateserial \
    -days 825 -extfile broker.ext -out broker.crt
chmod 600 broker-ca.key
chmod 644 broker.key
