#!/bin/sh
# Sets up .venv from the locks beside this file; does nothing where that has been done. Called by make.
# Variables:
#   PYTHON        the interpreter (default: the first that will do of python3.11 ... python3.14, python3)
#   TORCH         cpu, cuda (the registry's own build), or auto: cpu where there is no NVIDIA driver and such a
#                 build is to be had
#   TORCH_INDEX   a package index or folder that holds torch's CPU builds, if pip does not know one already
set -eu
cd "$(dirname "$0")/.."

exec 3>&2
say() { echo "xstilts: $*" >&3; }
fail() { say "$*" && exit 1; }
locks() { cat envs/build.lock envs/xstilts.lock envs/test.lock envs/torch.lock envs/torch-cpu.lock; }

fault_of() { # INTERPRETER: prints why it will not do, nothing if it will
    if ! version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null); then
        echo "no $1 here: install Python 3.11 to 3.14, or name one with PYTHON="
    elif ! "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))'; then
        echo "$1 is Python $version, but 3.11 to 3.14 is needed: install one, or name one with PYTHON="
    elif ! "$1" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "$1 cannot make environments: on Debian or Ubuntu, apt-get install python$version-venv"
    elif [ "$version" = 3.14 ] && ! can_compile "$1"; then # the one wheel that is missing: immutables
        echo "$1 needs a C compiler and its headers: on Debian or Ubuntu, apt-get install gcc libc6-dev python3.14-dev"
    fi
}

can_compile() {
    echo '#include <Python.h>' | cc -E -I "$("$1" -c 'import sysconfig; print(sysconfig.get_path("include"))')" - >/dev/null 2>&1
}

choose_python() { # sets `python`, or ends with the fault that is easiest to mend
    if [ -n "${PYTHON:-}" ]; then set -- "$PYTHON"; else set -- python3.11 python3.12 python3.13 python3.14 python3; fi
    mendable=
    for python; do
        fault=$(fault_of "$python")
        [ -n "$fault" ] || return 0
        case $fault in *apt-get*) mendable=${mendable:-$fault} ;; esac
    done
    fail "${mendable:-$fault}"
}

version_of() { "$1" -c 'import sys; print(sys.version)' 2>/dev/null; }

environment_is_usable() { # a moved folder or another interpreter needs a new one
    [ "$(cat .venv/folder 2>/dev/null)" = "$PWD" ] && version_of .venv/bin/python >/dev/null &&
        { [ -z "${PYTHON:-}" ] || [ "$(version_of "$PYTHON")" = "$(version_of .venv/bin/python)" ]; }
}

torch_is_as_asked() {
    case ${TORCH:-auto} in
        auto) ;;
        cpu | cuda) [ "$(cat .venv/torch 2>/dev/null)" = "$TORCH" ] ;;
        *) fail "TORCH=$TORCH is unknown: say cpu, cuda or auto" ;;
    esac
}

make_environment() {
    choose_python
    say "making .venv with $python ($(version_of "$python" | cut -d ' ' -f 1)); this is done once and takes some minutes"
    rm -rf .venv
    "$python" -m venv .venv
    echo "$PWD" > .venv/folder
}

drop_unfinished_packages() { # pip writes INSTALLER last: a package without it was cut off
    for package in .venv/lib/python3*/site-packages/*.dist-info; do
        [ -f "$package/INSTALLER" ] || rm -rf "$package"
    done
}

if [ -t 1 ]; then quiet=; else quiet=-qq; fi # pip talks where a person watches
pip_install() {
    .venv/bin/python -m pip --disable-pip-version-check --no-input install $quiet --no-deps --no-build-isolation "$@"
}

install_locked() { # LOCK OPTION...
    lock=$1
    shift
    say "installing $lock"
    pip_install --require-hashes -r "$lock" "$@"
}

install_torch() { # KIND OPTION...
    kind=$1
    shift
    rm -f .venv/torch
    install_locked "$@" && echo "$kind" > .venv/torch
}

install_cpu_torch() {
    if [ -n "${TORCH_INDEX:-}" ]; then set -- --extra-index-url "$TORCH_INDEX" --find-links "$TORCH_INDEX"; fi
    install_torch cpu envs/torch-cpu.lock "$@"
}

install_ordinary_torch() { install_torch cuda envs/torch.lock; }

has_nvidia_driver() { [ -e /proc/driver/nvidia/version ] || nvidia-smi -L >/dev/null 2>&1; }

install_chosen_torch() {
    case ${TORCH:-auto} in
        cpu) install_cpu_torch ;;
        cuda) install_ordinary_torch ;;
        auto)
            if [ "$(uname -s)" != Linux ] || has_nvidia_driver; then
                install_ordinary_torch
            elif ! (install_cpu_torch) 2>/dev/null; then
                say "no CPU build of torch to be had (TORCH_INDEX= may name where): taking the ordinary one, several GB"
                install_ordinary_torch
            fi
            ;;
    esac
}

if torch_is_as_asked && environment_is_usable && locks | cmp -s - .venv/done; then exit 0; fi
rm -f .venv/done
environment_is_usable || make_environment
trap '[ $? = 0 ] || say "set-up is not finished; the same command goes on from here"' EXIT
drop_unfinished_packages
install_locked envs/build.lock
install_locked envs/xstilts.lock
install_chosen_torch
install_locked envs/test.lock
pip_install --editable .
locks > .venv/done
