#!/usr/bin/env bash
# Everything that the house needs, from nothing: finds a Python, says what is missing before anything is downloaded,
# and hands over to tools/setup_house.py. Quick when nothing has changed.
set -euo pipefail
cd "$(dirname "$0")/.."

OLDEST='(3, 12)'
runs() { # a pyenv shim may stand in the PATH and not run
    "$1" -c "import ensurepip, sys, venv; sys.exit(sys.version_info < $OLDEST)" >/dev/null 2>&1
}

if runs .venv/bin/python && .venv/bin/python -m tools.setup_house --is-current; then
    exit 0
fi

missing=()
need() { missing+=("$1"$'\n'"      $2"); }

find_python() {
    if [[ -n "${PYTHON:-}" ]]; then
        runs "$PYTHON" && { echo "$PYTHON"; return; }
        echo "PYTHON=$PYTHON does not run, or is older than 3.12" >&2
        return 1
    fi
    local version candidate
    for version in 3.13 3.12 3.14; do
        for candidate in "python$version" "$HOME/.pyenv/versions/$version"*/bin/python; do
            runs "$candidate" && { echo "$candidate"; return; }
        done
    done
    runs python3 && { echo python3; return; }
    return 1
}

has_java() {
    local java="${JAVA_HOME:+$JAVA_HOME/bin/}java"
    command -v "$java" >/dev/null || return 1
    local version
    version=$("$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
    [[ "${version:-0}" -ge 17 ]]
}

has_node() {
    command -v node >/dev/null && command -v npm >/dev/null || return 1
    [[ "$(node --version | sed 's/^v\([0-9]*\).*/\1/')" -ge 20 ]]
}

install() { # the command for this machine: Debian and Ubuntu, Fedora and kin, macOS
    if command -v apt-get >/dev/null; then echo "sudo apt-get install $1"
    elif command -v dnf >/dev/null; then echo "sudo dnf install $2"
    else echo "brew install $3"; fi
}

python=$(find_python) || {
    command -v uv >/dev/null || python3 -m pip --version >/dev/null 2>&1 \
        || need "Python 3.12 or later" "$(install 'python3.12 python3.12-venv' python3.12 python@3.13), or set PYTHON to one"
}
if [[ -z "${TONGBAN_KEYCLOAK_URL:-}" ]]; then
    has_java || need "a JDK, 17 or later (for Keycloak)" "$(install openjdk-17-jdk-headless java-21-openjdk-headless openjdk@21), or set JAVA_HOME"
    [[ -n "${KEYCLOAK_HOME:-}" ]] || command -v mvn >/dev/null \
        || need "Maven (it fetches Keycloak)" "$(install maven maven maven), or set KEYCLOAK_HOME to a Keycloak that is there"
fi
has_node || need "Node 20 or later with npm (for the contract's checks)" "$(install 'nodejs npm' nodejs node)"

if ((${#missing[@]})); then
    echo "Not found on this machine, nothing has been downloaded yet:" >&2
    printf '  - %s\n' "${missing[@]}" >&2
    exit 1
fi

if [[ -z "$python" ]]; then
    echo "No Python 3.12 or later here: uv fetches one" >&2
    if ! command -v uv >/dev/null; then
        # only uv's own lines of the lock, with their hashes
        awk '/^[a-z]/ { take = /^uv==/ } take' requirements.lock > .uv.lock.part
        python3 -m pip install --quiet --require-hashes --target .run/tools/uv -r .uv.lock.part
        rm .uv.lock.part
        export PATH="$PWD/.run/tools/uv/bin:$PATH"
    fi
    uv python install 3.13
    python=$(uv python find 3.13)
fi
exec "$python" -m tools.setup_house
