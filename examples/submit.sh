#!/usr/bin/env bash
# A job from the request to its pictures with nothing but curl: ./submit.sh "Acme Coffee" FOLDER
set -euo pipefail

api=${BMN_API_URL:-http://127.0.0.1:3000}
token=${BMN_TOKEN:-$(bmn token)}
folder=$2
mkdir -p "$folder"

call() { curl --silent --show-error --fail-with-body --header "Authorization: Bearer $token" "$@"; }
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

brand=$(call --json "$(printf '{"name": "%s"}' "$1")" "$api/api/v1/brands" | field id)
job=$(call --json "{\"brandId\": \"$brand\", \"count\": 2}" \
    --header "Idempotency-Key: $(date +%s)-$$" "$api/api/v1/generation/logos" | field jobId)
echo "$job"

# `event:`, `id:` and `data:` for each event; the stream ends with the job.
call --no-buffer "$api/api/v1/jobs/$job/events" |
    sed -n 's/^data: .*"progress":\([0-9]*\),"message":"\([^"]*\)".*/\1 %  \2/p'

call "$api/api/v1/brands/$brand/assets?type=logo" |
    python3 -c 'import json, sys; [print(asset["url"]) for asset in json.load(sys.stdin)["assets"]]' |
    while read -r url; do
        name=$(basename "${url%%\?*}")
        call --output "$folder/$name" "$url"
        echo "$folder/$name"
    done
