#!/usr/bin/env bash
# Logos for every brand of a list, one name a line; decides by exit codes: ./nightly.sh brands.txt FOLDER
set -uo pipefail

failed=0
while read -r name; do
    done_json=$(bmn generate logos --brand "$name" --count 1 --out "$2/$name" --json --timeout 10m 2>"$2.log" </dev/null)
    code=$?
    case $code in
    0) echo "$name: $(python3 -c 'import json, sys; print(json.load(sys.stdin)["assets"][0]["file"])' <<<"$done_json")" ;;
    7) echo "$name: refused by the provider, other words are needed" ;;
    6) echo "out of credits" && exit 6 ;;
    69 | 75) echo "the service is away, try again later" && exit 75 ;;
    *) echo "$name: failed ($code), see: bmn jobs why last:failed" && failed=1 ;;
    esac
done <"$1"
exit $failed
