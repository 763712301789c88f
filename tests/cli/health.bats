#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Health checks: before campaigning, while holding, over a reload, and what they leave behind.

load run_helper
load agent_helper

setup()
{
    [ -x "$TALOSVIP" ] || skip "no $TALOSVIP"
    cd "$BATS_TEST_TMPDIR" || return 1
    talos_config >vip.yaml
    # a server of ours: GET answers with the status that stands in ./status
    cat >server.py <<'END'
import http.server, ssl
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(int(open("/run/status").read()))
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 6443), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("tls.crt", "tls.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
END
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout tls.key \
        -out tls.crt -days 2 -subj /CN=here -addext subjectAltName=IP:127.0.0.1 2>/dev/null
}

# health LINE...: the checks of the configuration.
health()
{
    printf -- '---\napiVersion: talosvip/v1\nkind: AgentConfig\nhealth:\n' >>vip.yaml
    printf '  %s\n' "$@" >>vip.yaml
}

@test "https: nothing is campaigned for until it passes; a failure while holding releases" {
    health '- name: apiserver' \
        "  https: {url: 'https://127.0.0.1:6443/readyz', caFile: $PWD/tls.crt}" \
        '  interval: 200ms'
    host '
        echo 503 >/run/status
        python3 server.py & SERVER=$!
        agent
        await 10 logged "event=health_down .*check=apiserver error=.*503"
        await 10 etcdctl get talosvip/v1/nodes/cp-1
        lacks 10.77.0.50
        [ -z "$(etcdctl get --prefix talos:v1:vip:election:)" ]
        [ "$(curl -s --unix-socket /run/talosvip/agent.sock http://localhost/readyz)" = "a health check does not pass" ]
        [ "$(curl -s --unix-socket /run/talosvip/agent.sock http://localhost/healthz)" = ok ]
        "$TALOSVIP" status --local -o json | grep -q "\"health\":\[{\"name\":\"apiserver\",\"up\":false,\"error\":\"HTTP status 503\""
        echo 204 >/run/status
        await 10 has 10.77.0.50
        logged "event=health_up .*check=apiserver"
        await 5 curl -sf --unix-socket /run/talosvip/agent.sock http://localhost/readyz
        echo 500 >/run/status
        await 10 lacks 10.77.0.50
        await 5 logged "event=released vip=10.77.0.50 .*cause=health_check .*check=apiserver .*msg=\"released: health check apiserver failed\""
        await 5 etcdctl get --prefix talosvip/v1/released/
        await 5 sh -c "etcdctl get --prefix talosvip/v1/released/ --print-value-only | grep -q \"health_check.*detail.*apiserver\""
        echo 200 >/run/status
        await 10 has 10.77.0.50
        kill $SERVER; wait $SERVER || :
        await 10 lacks 10.77.0.50
        await 5 logged "event=health_down .*refused"
        # changes of state only
        [ "$(count event=health_)" -le 5 ]
        finish'
}

@test "https: a certificate that is not trusted does not pass" {
    health '- name: apiserver' "  https: {url: 'https://127.0.0.1:6443/readyz'}" '  interval: 200ms'
    host '
        echo 200 >/run/status
        python3 server.py & SERVER=$!
        agent
        await 10 logged "event=health_down .*check=apiserver .*certificate"
        lacks 10.77.0.50
        finish; kill $SERVER'
}

@test "tcp: a port that accepts passes; all checks must" {
    health '- name: port' '  tcp: {address: "127.0.0.1:2379"}' '  interval: 200ms' \
        '- name: other' '  tcp: {address: "localhost:6443"}' '  interval: 200ms'
    host '
        agent
        await 10 logged "event=health_up .*check=port"
        await 10 logged "event=health_down .*check=other"
        lacks 10.77.0.50
        echo 200 >/run/status
        python3 server.py & SERVER=$!
        await 10 has 10.77.0.50
        finish; kill $SERVER'
}

@test "exec: the exit status decides; one that hangs is ended with all it started" {
    health '- name: disk' '  exec: {command: [/bin/sh, /run/check]}' '  interval: 100ms' '  timeout: 200ms'
    host '
        echo "exit \$(cat /run/status)" >/run/check
        echo 0 >/run/status
        agent
        await 10 has 10.77.0.50
        echo 7 >/run/status
        await 5 lacks 10.77.0.50
        logged "event=health_down .*check=disk error=\"exit status 7\""
        echo 0 >/run/status
        await 10 has 10.77.0.50
        printf "echo \$\$ >>/run/pids\nsleep 1000 & echo \$! >>/run/pids\nwait\n" >/run/check
        await 5 lacks 10.77.0.50
        logged "event=health_down .*check=disk error=\"timed out\""
        echo "exit 0" >/run/check
        await 10 has 10.77.0.50
        [ "$(wc -l </run/pids)" -ge 6 ]
        for pid in $(cat /run/pids); do
            await 5 sh -c "! grep -q \"^State:.[^Z]\" /proc/$pid/status"
        done
        ! grep -l "^State:.Z" /proc/[0-9]*/status | while read -r f; do grep -H "^PPid:.$AGENT\$" "$f"; done | grep .
        finish'
}

@test "exec: fifty runs leave no descriptor, no process, and get nothing of ours" {
    health '- name: quick' '  exec: {command: [/bin/sh, /run/check]}' '  interval: 100ms'
    host '
        printf "echo >>/run/ran\nls /proc/self/fd | tr \"\\\\n\" \" \" >/run/fds.new; mv /run/fds.new /run/fds\nenv >/run/env\n" >/run/check
        # connections to etcd come and go
        fds() { ls -l "/proc/$AGENT/fd" | grep -vc socket:; }
        ran() { [ "$(wc -l </run/ran)" -ge "$1" ]; }
        agent
        await 10 has 10.77.0.50
        await 10 logged event=health_up
        await 10 ran 5
        # while a check runs there are a pidfd and a timer more
        least() { local n=1000 m; for _ in 1 2 3 4 5 6 7 8 9; do m=$(fds); [ "$m" -ge "$n" ] || n=$m; done; echo "$n"; }
        before=$(least)
        await 20 ran $(($(wc -l </run/ran) + 50))
        after=$(least)
        [ "$after" -le "$before" ] || { echo "$before descriptors, then $after"; exit 91; } >&2
        grep -q "^0 1 2 3 $" /run/fds || { cat /run/fds; exit 92; } >&2
        [ "$(cut -d= -f1 /run/env | sort | tr "\n" " ")" = "PATH PWD " ] || [ "$(cut -d= -f1 /run/env | sort | tr "\n" " ")" = "PATH PWD _ " ]
        finish
        lacks 10.77.0.50'
}

@test "a reload touches only the checks that differ" {
    health '- name: good' '  tcp: {address: "127.0.0.1:2379"}' '  interval: 200ms'
    host '
        agent
        await 10 has 10.77.0.50
        # a new check is believed until it has failed: what is held stays
        printf "  - name: new\n    exec: {command: [/bin/true]}\n    interval: 200ms\n" >>vip.yaml
        kill -HUP $AGENT
        await 10 logged event=reloaded
        await 10 logged "event=health_up .*check=new"
        [ "$(count "event=health_up .*check=good")" = 1 ]
        [ "$(count event=released)" = 0 ]
        sed -i s,/bin/true,/bin/false, vip.yaml
        kill -HUP $AGENT
        await 10 lacks 10.77.0.50
        logged "event=health_down .*check=new"
        # and one that is gone bars nothing
        sed -i "/name: new/,\$d" vip.yaml
        kill -HUP $AGENT
        await 10 has 10.77.0.50
        [ "$(count "event=health_up .*check=good")" = 1 ]
        finish'
}

@test "a name that no server resolves holds nothing up" {
    health '- name: far' '  tcp: {address: "far.example:80"}' '  interval: 100ms' '  timeout: 300ms'
    host '
        echo "nameserver 127.0.0.9" >/run/resolv.conf
        mount --bind /run/resolv.conf /etc/resolv.conf
        perl -MIO::Socket::INET -e "\$s = IO::Socket::INET->new(LocalAddr => q(127.0.0.9), LocalPort => 53, Proto => q(udp)) or die; sleep" & DNS=$!
        agent
        await 10 logged "event=health_down .*check=far"
        read -rt 3 <> <(:) || :
        [ "$(count event=late)" = 0 ] && [ "$(count event=renewal_late)" = 0 ]
        finish; kill $DNS'
}
