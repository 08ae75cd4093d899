#!/bin/sh
# Run by InfluxDB's image when it is set up for the first time: InfluxQL finds the bucket by the name
# of a database and a retention policy, and only where these are mapped to it.
set -eu
influx v1 dbrp create --db stackproof --rp autogen --default \
    --bucket-id "$DOCKER_INFLUXDB_INIT_BUCKET_ID"
