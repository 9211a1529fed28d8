#!/bin/sh
# Makes .venv: Python 3.13 with exactly what requirements-dev.txt names. Needs any Python 3 that has venv, and a package
# index; does nothing when .venv is already right, and starts over when an earlier run was cut short.
set -eu
cd "$(dirname "$0")"
unset VIRTUAL_ENV PYTHONHOME PYTHONPATH

say() { echo "setup: $*" >&2; }
fail() { say "$*"; exit 1; }

# .venv/installed.txt is the lock that was installed last, put there as the very last step.
if cmp -s requirements-dev.txt .venv/installed.txt && .venv/bin/python -c '' 2>/dev/null; then exit 0; fi

# Prints the first Python on PATH or among pyenv's for which the given code ends well. Each candidate is tried, because a
# pyenv shim may stand for a version that isn't there, and Debian's Python may lack venv.
python_that() {
  old_ifs=$IFS; IFS=:
  for directory in $PATH "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin; do
    IFS=$old_ifs
    for name in python3.13 python3 python3.14 python3.12 python3.11 python3.10 python3.9 python3.8 python3.7 python3.6; do
      candidate=$directory/$name
      if [ -x "$candidate" ] && "$candidate" -c "$1" >/dev/null 2>&1 </dev/null; then echo "$candidate"; return; fi
    done
  done
  IFS=$old_ifs
}

# uv: the one on PATH if it is recent enough to know what we ask of it, or one in a small environment of its own.
if uv venv --managed-python --help >/dev/null 2>&1; then
  uv=uv
else
  uv=.uv/bin/uv
  if ! cmp -s requirements-uv.txt .uv/installed.txt || ! $uv --version >/dev/null 2>&1; then
    python=$(python_that 'import venv, ensurepip')
    [ -n "$python" ] || fail "no Python 3 with venv was found. Install one (Debian, Ubuntu: python3-venv) and try again."
    say "installing uv"
    rm -rf .uv
    "$python" -m venv .uv
    pip=".uv/bin/python -m pip --disable-pip-version-check"
    # The pip that comes with Python 3.6 doesn't know today's Linux wheels; this is the last one that runs there.
    if .uv/bin/python -c 'import sys; sys.exit(sys.version_info >= (3, 8))'; then
      $pip install --quiet --require-hashes -r requirements-pip.txt
    fi
    # uv is one binary and doesn't care which Python put it there.
    $pip install --quiet --require-hashes --only-binary :all: --ignore-requires-python -r requirements-uv.txt
    cp requirements-uv.txt .uv/installed.txt
  fi
fi

if [ ! -e .venv/installed.txt ] || ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; then
  python=$(python_that 'import sys; sys.exit(sys.version_info[:2] != (3, 13))')
  if [ -n "$python" ]; then
    $uv venv --quiet --clear --no-project --python "$python" .venv
  else
    say "Python 3.13 is not installed here: uv gets it"
    $uv venv --quiet --clear --no-project --managed-python --python 3.13 .venv ||
      fail "uv could not get Python 3.13. Install Python 3.13 (a package, or pyenv) and try again."
  fi
fi

say "installing what requirements-dev.txt names into .venv"
rm -f .venv/installed.txt
cp requirements-dev.txt .venv/installing.txt # what is installed is what was read, should the file change meanwhile
# Bytecode now, once: machines that never write it would compile everything at every start.
$uv pip sync --quiet --compile-bytecode --python .venv/bin/python --require-hashes .venv/installing.txt
mv .venv/installing.txt .venv/installed.txt
