#!/bin/sh
# Calls `albef serve`; needs nothing but curl. The answers are JSON, as the service sends them.
#
#   client.sh search WORDS [COUNT]   best matches
#   client.sh list [PAGE]            all images, fetched PAGE (default: 100) at a time, one page per line
#   client.sh add FILE               adds an image
#   client.sh explain ID WORDS       heat maps of the words on an image
#   client.sh answer ID QUESTION     answers to a question about an image
#
# ALBEF_URL is the service's address (default: http://127.0.0.1:8080), ALBEF_KEY the key, which `add`
# needs.
set -eu

url=${ALBEF_URL:-http://127.0.0.1:8080}
usage() {
    sed -n '4,8s/^# \{0,3\}//p' "$0" >&2
    exit 64
}

# Writes a text as a string of JSON.
quoted() {
    printf '"%s"' "$(printf '%s' "$1" | tr '\n\t' '  ' | sed 's/[\\"]/\\&/g')"
}

# Sends a request; prints the answer, and the problem document of a refusal to standard error. The key
# goes to curl through a file descriptor, because everybody may see the arguments of a program.
request() {
    answer=$(printf 'header = "Authorization: Bearer %s"\n' "${ALBEF_KEY:-}" |
        sed '/Bearer "$/d' | curl -sS --max-time 60 --fail-with-body --config - "$@") || {
        status=$?
        printf '%s\n' "$answer" >&2
        return $status
    }
    printf '%s\n' "$answer"
}
post() { request "$url/api/$1" -H 'content-type: application/json' --data-binary "$2"; }

[ $# -gt 0 ] || usage
command=$1
shift
case $command:$# in
search:[12]) post search "{\"text\": $(quoted "$1"), \"count\": ${2:-10}}" ;;
list:[01])
    offset=0
    while :; do
        page=$(request "$url/api/images?offset=$offset&limit=${1:-100}")
        case $page in *'"images":[]'*) break ;; esac
        printf '%s\n' "$page"
        offset=$((offset + ${1:-100}))
    done
    ;;
add:1) request "$url/api/images" -F "image=@$1" ;;
explain:2) post explain "{\"image\": $(quoted "$1"), \"text\": $(quoted "$2")}" ;;
answer:2) post answer "{\"image\": $(quoted "$1"), \"question\": $(quoted "$2")}" ;;
*) usage ;;
esac
