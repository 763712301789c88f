#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The metrics of a real agent, on the socket and on TCP, against promtool and docs/metrics.md.

load run_helper
load agent_helper

setup()
{
    [ -x "$TALOSVIP" ] || skip "no $TALOSVIP"
    cd "$BATS_TEST_TMPDIR" || return 1
    talos_config >vip.yaml
    cat >>vip.yaml <<'END'
---
apiVersion: talosvip/v1
kind: AgentConfig
health:
  - name: "quo\"te\\and line"
    tcp: {address: "127.0.0.1:2379"}
hooks:
  - on: [acquired]
    command: [/bin/true]
api:
  metrics: 127.0.0.1:9754
END
}

@test "promtool finds nothing to complain of, and docs/metrics.md lists exactly what is served" {
    export DOCS=$BATS_TEST_DIRNAME/../../docs/metrics.md
    host '
        agent
        await 10 has 10.77.0.50
        await 5 sh -c "curl -sf http://127.0.0.1:9754/metrics | grep -qx \"talosvip_hook_runs_total{event=\\\"acquired\\\"} 1\""
        curl -sf http://127.0.0.1:9754/metrics >/run/metrics
        if command -v promtool >/dev/null; then
            promtool check metrics </run/metrics >/run/promtool 2>&1 || { cat /run/promtool; exit 91; } >&2
            [ ! -s /run/promtool ] || { cat /run/promtool; exit 92; } >&2
        else
            echo "no promtool: make test-deps unpacks one" >&2
        fi
        curl -sf --unix-socket /run/talosvip/agent.sock http://localhost/metrics >/run/metrics2
        diff <(grep "^#" /run/metrics) <(grep "^#" /run/metrics2) >&2
        served() { awk "\$2 == \"TYPE\" { print \$3, \$4 }" /run/metrics | sort; }
        told() { sed -n "s/^| \`\([a-z_]*\)\`[^|]*| \([a-z]*\) |.*/\1 \2/p" "$DOCS" | sort; }
        diff <(served) <(told) >&2
        grep -qx "talosvip_vip_held{vip=\"10.77.0.50\"} 1" /run/metrics
        grep -qx "talosvip_vip_state{vip=\"10.77.0.50\",state=\"held\"} 1" /run/metrics
        grep -qx "talosvip_vip_state{vip=\"10.77.0.50\",state=\"standby\"} 0" /run/metrics
        grep -q "^talosvip_health_check_up{check=.*} 1" /run/metrics
        value() { curl -sf http://127.0.0.1:9754/metrics | sed -n "s/^talosvip_$1 //p"; }
        renewed() { [ "$(value renewals_total)" -ge 3 ]; }
        await 10 renewed
        [ "$(value renewal_duration_seconds_count)" -ge 2 ]
        [ "$(value renewal_failures_total)" = 0 ]
        [ "$(value "vip_announcements_total.*}")" -ge 3 ]
        ip addr del 10.77.0.50/32 dev eth0
        readded() { [ "$(value "vip_readded_total.*}")" = 1 ]; }
        await 5 readded
        ip link set other down
        await 5 lacks 10.77.0.50
        [ "$(value "vip_released_total.*cause=\"link_down\"}")" = 1 ]
        ip link set other up
        finish' # shellcheck disable=SC2016
}

@test "a TCP port serves numbers and probes, and nothing else" {
    host '
        agent
        await 10 has 10.77.0.50
        url=http://127.0.0.1:9754
        code() { curl -s -o /dev/null -w "%{http_code}" "$@"; }
        [ "$(code $url/healthz)" = 200 ]
        [ "$(code $url/readyz)" = 200 ]
        [ "$(code $url/v1/status)" = 404 ]
        [ "$(code $url/)" = 404 ]
        [ "$(code -X POST $url/metrics)" = 405 ]
        [ "$(code -X POST $url/v1/resign)" = 404 ]
        # a reload moves it, and takes it away
        sed -i s/9754/9755/ vip.yaml
        kill -HUP $AGENT
        await 5 curl -sf http://127.0.0.1:9755/metrics
        ! curl -s $url/metrics
        sed -i /metrics:/d vip.yaml; sed -i "s/^api:/api: {}/" vip.yaml
        kill -HUP $AGENT
        gone() { ! curl -s http://127.0.0.1:9755/metrics; }
        await 5 gone
        [ "$(count event=released)" = 0 ]
        finish'
}

@test "an address that cannot be listened on is one line and exit 1" {
    sed -i 's/127.0.0.1:9754/192.0.2.1:9754/' vip.yaml
    host '
        status=0
        "$TALOSVIP" run -c vip.yaml -e http://127.0.0.1:2379 --node cp-1 2>/run/err || status=$?
        [ $status = 1 ]
        grep -q "vip.yaml:19:12: cannot listen for api.metrics: Cannot assign" /run/err || { cat /run/err; exit 91; } >&2'
}

@test "healthz speaks of this process, readyz of its right" {
    host '
        agent
        await 10 has 10.77.0.50
        url=http://127.0.0.1:9754
        probe() { curl -s "$url/$1"; }
        is() { [ "$(probe "$1")" = "$2" ]; }
        is healthz ok
        await 5 is readyz ok
        # etcd away: not ready, but a new agent would not be better
        kill -STOP %1
        await 10 is readyz "the last renewal is older than two intervals"
        is healthz ok
        await 10 is readyz "the lease was not confirmed in time"
        lacks 10.77.0.50
        is healthz ok
        kill -CONT %1
        await 15 is readyz ok
        # held up, with etcd away: unhealthy until it has confirmed
        kill -STOP %1
        kill -STOP $AGENT
        read -rt 2 <> <(:) || :
        kill -CONT $AGENT
        await 5 is healthz "this process was held up, and etcd has not confirmed since"
        kill -CONT %1
        await 15 is healthz ok
        await 15 is readyz ok
        finish'
}

@test "without a guardian it is not healthy" {
    host '
        agent
        await 10 has 10.77.0.50
        # the next one soon stands: only who asks all the time sees the gap
        timeout 20 perl -MIO::Socket::INET -e "for (;;) {
            system(q(pkill -9 -x talosvip-guard)) == 0 or next;
            for (1 .. 100) {
                my \$s = IO::Socket::INET->new(q(127.0.0.1:9754)) or next;
                print \$s qq(GET /healthz HTTP/1.0\\r\\n\\r\\n);
                local \$/;
                exit 0 if <\$s> =~ /503.*no guardian/s;
            }
        }"
        logged event=guardian_lost
        await 5 sh -c "[ \"\$(curl -s http://127.0.0.1:9754/healthz)\" = ok ]"
        has 10.77.0.50
        finish'
}
