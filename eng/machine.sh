# Sourced by ./try and ./test: what this machine must have. Installs what is missing where that can be done
# without asking (Debian or Ubuntu as root), else says exactly what to install.

say() { printf '%s\n' "$*" >&2; }

# pg_bin: the folder of PostgreSQL's server programs, or nothing.
pg_bin() {
    local d
    for d in "$(dirname "$(command -v initdb 2>/dev/null || echo /nowhere/x)")" /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin; do
        if [ -x "$d/initdb" ] && [ -x "$d/postgres" ]; then echo "$d"; return; fi
    done
}

sshd_path() {
    local p
    for p in "$(command -v sshd 2>/dev/null)" /usr/sbin/sshd /usr/local/sbin/sshd; do
        if [ -n "$p" ] && [ -x "$p" ]; then echo "$p"; return; fi
    done
}

# missing_packages [aot]: names of the Debian packages that lack.
missing_packages() {
    [ -n "$(pg_bin)" ] || echo postgresql
    command -v psql >/dev/null 2>&1 || echo postgresql-client
    if [ "$(uname -s)" = Linux ]; then
        [ -n "$(sshd_path)" ] || echo openssh-server
        command -v ssh >/dev/null 2>&1 || echo openssh-client
        if [ "${1:-}" = aot ]; then
            command -v gcc >/dev/null 2>&1 || echo gcc
            command -v ld >/dev/null 2>&1 || echo binutils
            [ -e /usr/include/stdio.h ] || echo libc6-dev
        fi
    fi
}

need_machine() {
    local lacking
    if ! command -v dotnet >/dev/null 2>&1 || ! dotnet --list-sdks 2>/dev/null | grep -q '^10\.'; then
        say "The .NET SDK 10 is missing. Install it from https://dotnet.microsoft.com/download/dotnet/10.0 (Debian, Ubuntu: package dotnet-sdk-10.0; macOS: brew install dotnet-sdk), then run this again."
        return 1
    fi
    lacking=$(missing_packages "${1:-}" | sort -u | tr '\n' ' ')
    lacking=${lacking% }
    [ -z "$lacking" ] && return 0
    if command -v apt-get >/dev/null 2>&1; then
        if [ "$(id -u)" = 0 ]; then
            say "Installing: $lacking"
            # policy-rc.d 101: the packages' own servers stay off; only our own are started, on loopback.
            local policy=/usr/sbin/policy-rc.d made=
            if [ ! -e "$policy" ]; then printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy" && made=1; fi
            # shellcheck disable=SC2086
            { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $lacking; } >/tmp/fumidai-apt.$$ 2>&1
            local rc=$?
            [ -n "$made" ] && rm -f "$policy"
            [ $rc = 0 ] && rm -f /tmp/fumidai-apt.$$ && return 0
            tail -n 5 /tmp/fumidai-apt.$$ >&2; rm -f /tmp/fumidai-apt.$$
            say "Could not install: $lacking"
            return 1
        fi
        say "Missing: $lacking. Install with: sudo apt-get install $lacking"
    elif command -v brew >/dev/null 2>&1; then
        say "Missing: $lacking. Install with: brew install postgresql@17"
    else
        say "Missing: $lacking. Install PostgreSQL (server and psql) and OpenSSH's sshd with your system's package manager."
    fi
    return 1
}
