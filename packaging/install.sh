#!/bin/sh
# Installs stackproof from the bundle it lies in; no network is used.
#
#   sh install.sh --key PUBLIC.pem [--prefix /opt] [--units /etc/systemd/system]
#       [--bin /usr/local/bin]
#   sh install.sh --rollback [--prefix /opt]
#
# PUBLIC.pem is the key of whoever made the bundle. It comes by another way than the bundle.
# Each version has its folder, PREFIX/stackproof-VERSION (+pyPYTHON behind it where the machine's
# Python became another under it); PREFIX/stackproof/current leads to the one
# in use and …/previous to the one before. A folder of units that was named once gets those of each
# version that comes into use, back as well as forth; the command in --bin leads to the one in use.
# Readings and evidence (/var/lib) are never touched, no service is started or stopped. Whatever goes
# wrong before the end leaves what was there in use.
# Exit: 0 done, 2 refused or not possible.
set -eu
umask 022 # services run what is installed, and they are not root

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
prefix=/opt units='' bin='' key='' rollback=''

say() { printf 'install: %s\n' "$*"; }
die() {
    printf 'install: %s\n' "$*" >&2
    exit 2
}

while [ $# -gt 0 ]; do
    case $1 in
    --rollback) rollback=yes ;;
    --key | --prefix | --units | --bin)
        [ $# -gt 1 ] || die "$1 needs a value"
        case $1 in
        --key) key=$2 ;;
        --prefix) prefix=$2 ;;
        --units) units=$2 ;;
        --bin) bin=$2 ;;
        esac
        shift
        ;;
    *) die "usage: sh install.sh --key PUBLIC.pem|--rollback [--prefix DIR] [--units DIR] [--bin DIR]" ;;
    esac
    shift
done
for folder in "$prefix" "${units:-/}" "${bin:-/}"; do
    [ "${folder#/}" != "$folder" ] || die "$folder: give the whole path of the folder, from / on"
    case $folder in *[!A-Za-z0-9._/-]*) die "$folder: a unit file cannot name such a folder" ;; esac
done
for folder in "${units:-/}" "${bin:-/}"; do
    [ -d "$folder" ] || die "$folder: no such folder"
done
links=$prefix/stackproof
command=$links/current/bin/stackproof
[ -z "$bin" ] || [ ! -e "$bin/stackproof" ] ||
    [ "$(readlink -- "$bin/stackproof")" = "$command" ] ||
    die "$bin/stackproof is another program's: move it away, then run this again"
[ -L "$links/current" ] || [ ! -e "$links/current" ] ||
    die "$links/current is the Debian package's: upgrade with dpkg -i, or remove it (dpkg -r stackproof)"

# Replaces a link in one step: there is no moment without one.
link() {
    ln -sfT -- "$1" "$2.new" # -f: one that was broken off left it
    mv -T -- "$2.new" "$2"
}

# What lies outside the prefix is that of the version in use.
place() {
    [ -z "$bin" ] || link "$command" "$bin/stackproof"
    [ -z "$units" ] || link "$units" "$links/units"
    folder=$(readlink -- "$links/units") || return 0
    if [ ! -d "$links/current/systemd" ]; then
        say "this version brought no unit files with it: those in $folder are another version's"
        return 0
    fi
    for unit in "$links"/current/systemd/*.service; do
        sed "s|/opt/stackproof/current/|$links/current/|" "$unit" >"$folder/stackproof.new"
        mv -- "$folder/stackproof.new" "$folder/${unit##*/}"
    done
    ! command -v systemd-sysusers >/dev/null ||
        systemd-sysusers "$links/current/systemd/stackproof.sysusers"
    [ ! -d /run/systemd/system ] || systemctl daemon-reload
    say "unit files are in $folder; start one: systemctl enable --now stackproof-edge"
}

if [ -n "$rollback" ]; then
    now=$(readlink -- "$links/current") || die "$links/current: nothing is installed here"
    before=$(readlink -- "$links/previous") || die "there is no version before $now to go back to"
    [ -f "$before/.complete" ] || die "$before is not there any more; install its bundle again"
    "$before/bin/stackproof" --help >/dev/null 2>&1 ||
        die "$before does not run: if this machine's Python is another now, install its bundle again"
    link "$before" "$links/current"
    link "$now" "$links/previous"
    say "$before is in use again, from the next start of each service on"
    say "if its program says that a newer one wrote the spool, install the newer one again"
    place
    exit 0
fi

# ---------------------------------------------------------------- is it what was made

[ -n "$key" ] || die "--key PUBLIC.pem is missing: who made this bundle cannot be checked without"
[ -f "$key" ] || die "$key: no such file"
command -v openssl >/dev/null || die "openssl is missing: Debian package openssl, needed to check"
command -v python3 >/dev/null || die "python3 is missing: Debian packages python3, python3-venv"
openssl pkey -pubin -in "$key" -noout 2>/dev/null || die "$key: holds no public key"
key=$(readlink -f -- "$key")
cd -- "$here"
[ -f SHA256SUMS ] && [ -f SHA256SUMS.sig ] || die "$here: this is no bundle: SHA256SUMS is missing"
openssl pkeyutl -verify -pubin -inkey "$key" -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig \
    >/dev/null 2>&1 ||
    die "the signature is not by the key in $key: do not use this bundle. Nothing was installed"
wrong=$(sha256sum --check --strict --quiet SHA256SUMS 2>/dev/null | sed 's/: FAILED.*//') || :
sha256sum --check --strict --status SHA256SUMS 2>/dev/null ||
    die "altered or missing: $(echo $wrong). Unpack the bundle again. Nothing was installed"
count=$(find . ! -type d ! -name SHA256SUMS ! -name SHA256SUMS.sig | wc -l)
[ "$count" -eq "$(wc -l <SHA256SUMS)" ] ||
    die "there are files here that the bundle does not have: unpack it into an empty folder"

field() { sed -n "s/^$1=//p" BUNDLE; }
version=$(field version) arch=$(field arch) pythons=$(field pythons) lacks=$(field lacks)
[ "$(uname -m)" = "$arch" ] || die "this bundle is for $arch, this machine is $(uname -m)"
python=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
case " $pythons " in
*" $python "*) ;;
*) die "this bundle is for Python $pythons, this machine has $python: make one with --python" ;;
esac
python3 -c 'import ensurepip, venv' 2>/dev/null ||
    die "python3 has no venv module: Debian package python3-venv"

# ---------------------------------------------------------------- install beside what is in use

target=$prefix/stackproof-$version
# Debian's next release brings another Python: what was installed for the one before does not run.
[ ! -f "$target/.complete" ] || [ -d "$target/lib/python$python" ] || target=$target+py$python
now=$(readlink -- "$links/current") || now=''
if [ "$now" = "$target" ]; then
    [ -n "$units$bin" ] || die "$version is in use already; --units and --bin would still be done"
    say "$version is in use already"
    place
    exit 0
fi
if [ ! -f "$target/.complete" ]; then
    rm -rf -- "$target" # the rest of an install that was broken off
    mkdir -p -- "$links"
    trap 'rm -rf -- "$target"' EXIT # half of one would keep a full disk full, and a spool on it
    trap 'exit 2' HUP INT TERM
    python3 -m venv "$target" || die "python3 -m venv $target failed, see above"
    pip="$target/bin/python -m pip install --quiet --no-input --disable-pip-version-check"
    # shellcheck disable=SC2086 # several words
    { $pip --no-index --no-deps --find-links wheels --require-hashes -r "lock-$python.txt" &&
        $pip --no-index --no-deps "wheels/stackproof-$version"-*.whl; } ||
        die "pip failed, see above; what was in use still is"
    "$target/bin/stackproof" --help >/dev/null || die "$version does not run; nothing was changed"
    cp -R docs systemd sbom.cdx.json LICENSE "$target"
    sync -f -- "$target" # before anything leads to it: a power cut may take what is only in memory
    : >"$target/.complete"
    trap - EXIT HUP INT TERM
fi
[ -z "$now" ] || link "$now" "$links/previous"
link "$target" "$links/current"
say "$version is in use, from the next start of each service on${now:+; before it: $now}"
[ -z "$lacks" ] || say "without, since they have no wheel for $arch: $lacks"
place
for folder in "$prefix"/stackproof-*/; do
    case ${folder%/} in
    "$target" | "$now") ;;
    *) say "${folder%/}: an older version; once no service runs it: rm -r ${folder%/}" ;;
    esac
done
