#!/bin/sh
# Publishes one event. Needs curl 7.66 or newer, and jq to write the JSON. Options: see README.md of client_example.
set -eu

set -- # the options that are set
if [ -n "${ROOMCAST_CA:-}" ]; then set -- "$@" --cacert "$ROOMCAST_CA"; fi
if [ -n "${ROOMCAST_CERT:-}" ]; then set -- "$@" --cert "$ROOMCAST_CERT" --key "$ROOMCAST_KEY"; fi

# --retry comes back after 429 and 503 when Retry-After says, and --retry-max-time keeps it from trying after a timeout.
status=$(jq --null-input --arg target "$ROOMCAST_TARGET" --arg message "$ROOMCAST_MESSAGE" \
    '{target_id: $target, message: $message}' |
    curl --silent --show-error --max-time 10 --retry 4 --retry-max-time 10 "$@" \
        --header 'Content-Type: application/json' --data-binary @- \
        --output /dev/null --write-out '%{http_code}' "${ROOMCAST_PRODUCER_URL:-https://localhost:2053}/publish")

if [ "$status" != 200 ]; then
    echo "not published: the gateway answered $status" >&2
    exit 1
fi
