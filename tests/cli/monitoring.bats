#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154
# The alert rules and the dashboard of docs/monitoring: sound, and about metrics that exist.

bats_require_minimum_version 1.5.0

setup() {
    docs=$BATS_TEST_DIRNAME/../../docs
    promtool=$BATS_TEST_DIRNAME/../../build/tools/usr/bin/promtool
    [ -x "$promtool" ] || skip "no promtool: make test-deps"
}

# known FILE: every metric that it names is in docs/metrics.md
known() {
    local name
    while read -r name; do
        grep -qF "\`${name%_bucket}\`" "$docs/metrics.md" || { echo "no metric $name"; return 1; }
    done < <(grep -oE 'talosvip_[a-z_]+' "$1" | sort -u)
}

@test "the alert rules are sound, and fire when they should" {
    "$promtool" check rules "$docs/monitoring/alerts.yaml"
    cd "$docs/monitoring"
    "$promtool" test rules alerts-test.yaml
    known alerts.yaml
}

@test "each rule has its test" {
    for rule in $(sed -n 's/.*- alert: //p' "$docs/monitoring/alerts.yaml"); do
        grep -q "$rule" "$docs/monitoring/alerts-test.yaml"
    done
}

@test "the dashboard's expressions are sound, and its panels do not overlap" {
    cd "$BATS_TEST_TMPDIR"
    jq -e '.panels | length > 8' "$docs/monitoring/grafana.json"
    {
        printf 'groups:\n- name: panels\n  rules:\n'
        jq -r '.panels[].targets[].expr' "$docs/monitoring/grafana.json" |
            sed 's/\$instance/a/g; s/\$vip/b/g' |
            awk '{ gsub(/\047/, "\047\047"); printf "  - {record: \"p%d\", expr: \047%s\047}\n", NR, $0 }'
    } >panels.yaml
    "$promtool" check rules panels.yaml
    known "$docs/monitoring/grafana.json"
    [ "$(jq '[.panels[].gridPos | range(.x; .x + .w) as $x | range(.y; .y + .h) as $y | [$x, $y]] | length == (unique | length)' "$docs/monitoring/grafana.json")" = true ]
    [ "$(jq '[.panels[].id] | length == (unique | length)' "$docs/monitoring/grafana.json")" = true ]
}
