#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_sso authors
#
# Installs what is missing of the packages that building and testing mod_sso needs, and says nothing when nothing is.
# `tests/deps.sh demo` asks for less: what `make demo` needs; `bench` and `keycloak` ask for more. No daemon is started that was not running before.
set -euo pipefail
cd "$(dirname "$0")/.."

build="apache2 apache2-dev libmemcached-dev libcurl4-openssl-dev libssl-dev libjansson-dev liblmdb-dev
       gcc libc6-dev make binutils"
serve="memcached php-fpm curl ca-certificates"
measure="wrk libapache2-mod-auth-openidc valgrind"
prove="libcmocka-dev clang clang-format clang-tidy cppcheck llvm faketime iproute2 locales"

# What is missing of the packages named.
missing_packages() {
    local have name
    have=" $({ dpkg-query -W -f "\${db:Status-Status} \${Package}\\n" "$@" 2>/dev/null || true; } | sed -n 's/^installed //p' | tr '\n' ' ') "
    for name in "$@"; do
        case "$have" in *" $name "*) ;; *) echo "$name" ;; esac
    done
}

# Tools that count wherever they come from.
missing_tools() {
    node -e 'process.exit(parseInt(process.versions.node, 10) >= 18 ? 0 : 1)' 2>/dev/null || echo nodejs
    command -v npm >/dev/null || echo npm
    if [ "$1" = keycloak ]; then
        command -v java >/dev/null || echo openjdk-17-jre-headless
        command -v mvn >/dev/null || echo maven
    fi
    [ "$1" = demo ] && return
    command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || echo chromium
    compgen -G '/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*' >/dev/null || echo libclang-rt-dev
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "deps: not root and no sudo; please run as root: apt-get install --no-install-recommends ${missing[*]}" >&2
        exit 1
    fi
}

# Debian starts a daemon when its package is installed, unless this policy says no (exit 101). The one of an administrator who
# says no already stays; any other is put aside until the installation is over. Runs as root, in a bash of its own.
install_quietly() {
    policy=/usr/sbin/policy-rc.d mark="mod_sso tests/deps.sh: only while packages are installed"
    exec 9>/var/lock/mod_sso-deps.lock
    flock 9
    put_back() {
        ! grep -qs "$mark" $policy || rm -f $policy
        [ ! -e $policy.mod_sso ] || mv $policy.mod_sso $policy
    }
    put_back
    trap put_back EXIT
    if [ ! -x $policy ] || $policy apache2 start >/dev/null 2>&1; then
        [ ! -e $policy ] || mv $policy $policy.mod_sso
        printf '#!/bin/sh\n# %s\nexit 101\n' "$mark" >$policy
        chmod 755 $policy
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq -o DPkg::Lock::Timeout=300 update </dev/null 9>&- &&
        apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install --no-install-recommends "$@" </dev/null 9>&-
}

debian_packages() {
    local wanted="$build $serve"
    [ "$1" = demo ] || wanted="$wanted $prove"
    [ "$1" = bench ] && wanted="$wanted $measure"
    # shellcheck disable=SC2086 # the words of the lists are the arguments
    mapfile -t missing < <(missing_packages $wanted; missing_tools "$1")
    [ "${#missing[@]}" = 0 ] && return
    # Debian's httpd does not ask for the OpenSSL that it was built with; this one does.
    case " ${missing[*]} " in *" apache2 "*) missing+=(libssl-dev) ;; esac
    echo "deps: installing ${missing[*]}"
    as_root bash -c "$(declare -f install_quietly); install_quietly \"\$@\"" deps "${missing[@]}"
}

# npm's own record of what it installed tells whether it is what package-lock.json asks for.
npm_is_current() {
    [ -f node_modules/.package-lock.json ] && node -e '
        const read = (name) => JSON.parse(require("fs").readFileSync(name)).packages;
        const have = read("node_modules/.package-lock.json"), want = read("package-lock.json");
        const stale = Object.keys(want).filter((at) => at && !want[at].optional && have[at]?.version !== want[at].version);
        process.exit(stale.length ? 1 : 0);'
}

npm_packages() {
    [ -f tests/e2e/package-lock.json ] || return 0
    cd tests/e2e
    npm_is_current && return
    echo "deps: npm ci in tests/e2e"
    PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund --ignore-scripts --loglevel=error </dev/null
}

if command -v dpkg-query >/dev/null; then
    debian_packages "${1:-all}"
else
    echo "deps: not a Debian; see the lists in tests/deps.sh for what is needed" >&2
fi
npm_packages
