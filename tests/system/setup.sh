#!/usr/bin/env bash
# Installs what the system tests need on Debian. Does nothing where it is there already.
set -euo pipefail

node_major=$(node --version | sed -E 's/^v([0-9]+).*/\1/')
if ((node_major < 20)); then
    echo "the browser's driver needs Node.js 20 or newer; this is $(node --version)" >&2
    exit 1
fi

packages=()
need() { # command, package
    command -v "$1" >/dev/null || packages+=("$2")
}
need chromium chromium
need curl curl
need ip iproute2
need setpriv util-linux
need jq jq

if ((${#packages[@]} == 0)); then
    exit 0
fi
if ! command -v apt-get >/dev/null || [[ $(id -u) != 0 ]]; then
    echo "missing: ${packages[*]}. Install them, or run this as root on Debian." >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null </dev/null
