#!/bin/sh
# Publishes one event. Needs curl, and jq to write the JSON. Options: see README.md of client_example.
set -eu

set -- # the options that are set
if [ -n "${ROOMCAST_CA:-}" ]; then set -- "$@" --cacert "$ROOMCAST_CA"; fi
if [ -n "${ROOMCAST_CERT:-}" ]; then set -- "$@" --cert "$ROOMCAST_CERT" --key "$ROOMCAST_KEY"; fi

event=$(jq --null-input --arg target "$ROOMCAST_TARGET" --arg message "$ROOMCAST_MESSAGE" \
    '{target_id: $target, message: $message}')
headers=$(mktemp)
trap 'rm -f "$headers"' EXIT

attempt=1
while :; do
    # Not curl's --retry, which comes back after 408, 500, 502 and 504 too.
    status=$(printf '%s' "$event" | curl --silent --show-error --max-time 10 "$@" \
        --header 'Content-Type: application/json' --data-binary @- --dump-header "$headers" \
        --output /dev/null --write-out '%{http_code}' "${ROOMCAST_PRODUCER_URL:-https://localhost:2053}/publish")
    case $status in
        200) exit 0 ;;
        429 | 503) [ "$attempt" -lt 5 ] || break ;;
        *) break ;;
    esac
    seconds=$(tr -d '\r' <"$headers" | sed -n 's/^[Rr][Ee][Tt][Rr][Yy]-[Aa][Ff][Tt][Ee][Rr]: *\([0-9][0-9]*\)$/\1/p')
    sleep "${seconds:-1}"
    attempt=$((attempt + 1))
done
echo "not published: the gateway answered $status" >&2
exit 1
