#!/bin/sh
# Sends one event in each vendor's protocol with curl, then reads them back.
#
#   sh examples/quickstart.sh               starts a gateway of its own, on a directory that is deleted afterwards
#   sh examples/quickstart.sh URL DATA      uses a gateway that runs already, at URL, on the data directory DATA

set -eu
PATH=$(dirname "$0")/../.venv/bin:$PATH # the README's first command installs `gateway` there

if [ $# -eq 2 ]; then
    url=$1 data=$2
else
    data=$(mktemp -d)
    gateway serve --data "$data" --port 0 >"$data/greeting" &
    server=$!
    trap 'set +e; kill $server 2>/dev/null; wait $server; rm -rf "$data"' EXIT
    trap 'exit 1' INT TERM
    until url=$(grep -s '^http://' "$data/greeting"); do # the last line that it prints, once it is ready
        sleep 1
        kill -0 $server # fails, and ends this script, if the gateway has ended
    done
fi

# A key opens one project. These keys are new; `--value` would add one that an SDK already uses.
make_key() {
    gateway keys add --data "$data" --project quickstart --dialect "$1" --kind "$2" --json |
        sed 's/.*"value":"\([^"]*\)".*/\1/'
}
databuddy=$(make_key databuddy api_key)
appizer=$(make_key appizer api_key)
tranthor=$(make_key tranthor write_key)
browsee=$(make_key browsee api_key)
sleep 2 # a running gateway accepts new keys within two seconds

post() {
    path=$1
    shift
    curl -fsS "$url$path" -H 'Content-Type: application/json' "$@"
    echo
}
post /track -H "Authorization: Bearer $databuddy" -d '{"name":"signed_up","properties":{"plan":"pro"}}'
post /v1/events -H "Authorization: Bearer $appizer" -d '{"event_name":"signed_up","user_id":"u-1"}'
id=quickstart-$(date +%s)-$$ # Tranthor's clients give each message an id; an id is stored once
post /api/public/apps/track -H "Authorization: Basic $tranthor" \
    -d '{"messageId":"'"$id"'","userId":"u-1","event":"signed_up"}'
post /api/v1/track -d '{"apiKey":"'"$browsee"'","userId":"u-1","event":"signed_up"}'

# Each answer said that its event is on disk. Here are all four, in one form:
gateway events export --data "$data" --project quickstart
