#!/bin/sh
# Installs pinned packages into a virtual environment and says on one line how far it is; in a pipe it says begin and end.
#
#   sh tools/install.sh WHAT MEGABYTES VENV PINS... [-- FOLDER...]
#
# uv where it is installed. Else four pips side by side: one spends most of its time thinking about one package after the
# other. Every package is pinned, so there is nothing to resolve (--no-deps); what nobody imports is not compiled.
set -eu
what=$1 size=$2 venv=$3
shift 3
pins=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  pins="$pins $1"
  shift
done
[ $# -eq 0 ] || shift
all=$(cat $pins | wc -l | tr -d ' ')
began=$(date +%s)

here() { ls "$venv"/lib/python*/site-packages 2>/dev/null | grep -c 'dist-info$' || true; }

say() {
  come=0
  [ ! -f "$venv/.before" ] || come=$(($(here) - $(cat "$venv/.before")))
  printf '\r\033[Kinstalling %s: %s of %s packages, %s s' "$what" "$come" "$all" "$(($(date +%s) - began))"
  printf ' (up to %s MB to download)' "$size"
}

rm -f "$venv/.before"
if [ -t 1 ]; then
  while :; do say; sleep 1; done &
  ticker=$!
  trap 'kill $ticker 2>/dev/null || true; [ -n "${done-}" ] || echo' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
else
  echo "installing $what: $all packages, up to $size MB to download"
fi

[ -x "$venv/bin/python" ] || "${PYTHON:-python3}" -m venv "$venv"
here > "$venv/.before"
if command -v uv >/dev/null; then
  install="uv pip install --quiet --python $venv/bin/python"
else
  install="$venv/bin/pip install -qq --no-compile"
fi
cat $pins | xargs -P 4 -n 10 $install --no-deps
[ $# -eq 0 ] || printf '%s\n' "$@" | xargs -P 4 -n 1 $install --no-deps -e
rm -f "$venv/.before"

done=yes
if [ -t 1 ]; then
  kill $ticker 2>/dev/null || true
  wait $ticker 2>/dev/null || true
  printf '\r\033[K'
fi
echo "installed $what: $all packages in $(($(date +%s) - began)) s"
