#!/bin/sh
# Sends one event in each vendor's protocol with curl, then reads them back.
#
#   sh examples/quickstart.sh               starts a gateway of its own, on a directory that is deleted afterwards
#   sh examples/quickstart.sh URL DATA      uses a gateway that runs already, at URL, on the data directory DATA

set -eu
PATH=$(dirname "$0")/../.venv/bin:$PATH # the README's first command installs `gateway` there

# A key opens one project. These keys are new; `--value` would add one that an SDK already uses.
make_key() {
    gateway keys add --data "$data" --project quickstart --dialect "$1" --kind "$2" --json |
        sed 's/.*"value":"\([^"]*\)".*/\1/'
}
make_keys() {
    databuddy=$(make_key databuddy api_key)
    appizer=$(make_key appizer api_key)
    tranthor=$(make_key tranthor write_key)
    browsee=$(make_key browsee api_key)
}

if [ $# -eq 2 ]; then
    url=$1 data=$2
    make_keys # a running gateway accepts them within two seconds: `post` waits for it
else
    data=$(mktemp -d)
    server=
    trap 'set +e; [ -z "$server" ] || { kill $server 2>/dev/null; wait $server; }; rm -rf "$data"' EXIT
    trap 'exit 1' INT TERM
    make_keys # before the start, so that the gateway knows them from the first request on
    gateway serve --data "$data" --port 0 --no-console >"$data/greeting" &
    server=$!
    tries=0
    until url=$(grep -s '^http://' "$data/greeting"); do # the last line that it prints
        sleep 1
        kill -0 $server # fails, and ends this script, if the gateway has ended
        tries=$((tries + 1))
        [ $tries -lt 60 ] # so does this, if nothing comes
    done
fi

tries=0
until curl -fs "$url/-/ready" >/dev/null; do # it is not ready while it cannot store events
    sleep 1
    tries=$((tries + 1))
    [ $tries -lt 60 ] || { echo "the gateway at $url is not ready" >&2 && exit 1; }
done

post() {
    path=$1
    shift
    for _ in 1 2 3 4 5 6 7 8 9; do
        answer=$(curl -fs "$url$path" -H 'Content-Type: application/json' "$@") && echo "$answer" && return
        sleep 1
    done
    curl -fsS "$url$path" -H 'Content-Type: application/json' "$@" # fails, and says why
}
post /track -H "Authorization: Bearer $databuddy" -d '{"name":"signed_up","properties":{"plan":"pro"}}'
post /v1/events -H "Authorization: Bearer $appizer" -d '{"event_name":"signed_up","user_id":"u-1"}'
id=quickstart-$(date +%s)-$$ # Tranthor's clients give each message an id; an id is stored once
post /api/public/apps/track -H "Authorization: Basic $tranthor" \
    -d '{"messageId":"'"$id"'","userId":"u-1","event":"signed_up"}'
post /api/v1/track -d '{"apiKey":"'"$browsee"'","userId":"u-1","event":"signed_up"}'

# Each answer said that its event is on disk. Here are all four, in one form:
gateway events export --data "$data" --project quickstart
