#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154
# How a command finds etcd: flags, environment, contexts, and what `config` says about it.

bats_require_minimum_version 1.5.0

setup() {
    talosvip=${TALOSVIP:-$BATS_TEST_DIRNAME/../../build/talosvip}
    for name in $(compgen -e | grep -E '^(TALOSVIP|ETCDCTL)_'); do
        [ "$name" = TALOSVIP ] || unset "$name"
    done
    export XDG_CONFIG_HOME=$BATS_TEST_TMPDIR/config XDG_STATE_HOME=$BATS_TEST_TMPDIR/state
    file=$XDG_CONFIG_HOME/talosvip/config.yaml
    mkdir -p "${file%/*}"
}

contexts() {
    cat >"$file" <<'YAML'
apiVersion: talosvip/v1
kind: ClientConfig
contexts:
  - name: prod-eu1
    etcd:
      endpoints: [https://10.0.0.1:2379, https://10.0.0.2:2379]
      caFile: /etc/prod/ca.crt
  - name: lab
    readOnly: true
    etcd: {endpoints: [http://127.0.0.1:2379]}
YAML
}

# value SETTING, origin SETTING: as `config show` says.
value() { "$talosvip" config show -o json "${@:2}" | jq -r ".[\"$1\"].value"; }
origin() { "$talosvip" config show --origin -o json "${@:2}" | jq -r ".[\"$1\"].origin"; }

@test "without anything: the defaults" {
    [ "$(value endpoints)" = https://127.0.0.1:2379 ]
    [ "$(origin endpoints)" = default ]
    [ "$(value dial-timeout)" = 2s ]
    [ "$(value command-timeout)" = 5s ]
}

@test "flags beat TALOSVIP_*, which beat ETCDCTL_*, which beat the context" {
    contexts
    [ "$(value endpoints --context prod-eu1)" = https://10.0.0.1:2379,https://10.0.0.2:2379 ]
    [ "$(origin endpoints --context prod-eu1)" = "$file:6" ]
    export TALOSVIP_CONTEXT=prod-eu1 ETCDCTL_ENDPOINTS=http://c:1
    [ "$(value endpoints)" = http://c:1 ]
    [ "$(value cacert)" = /etc/prod/ca.crt ]
    export TALOSVIP_ENDPOINTS=http://b:1
    [ "$(origin endpoints)" = "env TALOSVIP_ENDPOINTS" ]
    [ "$(origin endpoints -e http://a:1)" = flag ]
    [ "$(value endpoints -e http://a:1)" = http://a:1 ]
}

@test "use-context is remembered, and an unknown one is refused with a guess" {
    contexts
    run --separate-stderr "$talosvip" config use-context prod-eu
    [ "$status" -eq 2 ]
    [ "${stderr_lines[0]}" = 'talosvip: there is no context "prod-eu" (flag); did you mean prod-eu1?' ]
    "$talosvip" config use-context lab
    [ "$(value endpoints)" = http://127.0.0.1:2379 ]
    run "$talosvip" config contexts
    [ "${lines[0]}" = "  prod-eu1" ]
    [ "${lines[1]}" = "* lab  (read-only)" ]
}

@test "a single context is used, several are not guessed" {
    contexts
    [ "$(value context)" = "" ]
    cat >"$file" <<'YAML'
apiVersion: talosvip/v1
kind: ClientConfig
contexts: [{name: one, etcd: {endpoints: [http://x:1]}}]
YAML
    [ "$(value context)" = one ]
}

@test "a wrong file is told with its place" {
    contexts
    sed -i s/readOnly/readonly/ "$file"
    run --separate-stderr "$talosvip" config show
    [ "$status" -eq 4 ]
    [ "${stderr_lines[0]}" = "talosvip: $file:9:5: unknown key \"readonly\" in contexts[1]" ]
    [ "${stderr_lines[1]}" = '  hint: did you mean "readOnly"?' ]
    run "$talosvip" validate "$file"
    [ "$status" -eq 1 ]
}

@test "a second document in the file is told, not forgotten" {
    contexts
    printf '%s\n' --- 'apiVersion: talosvip/v1' 'kind: ClientConfig' \
        'contexts: [{name: three, etcd: {endpoints: [http://x:1]}}]' >>"$file"
    run --separate-stderr "$talosvip" config contexts
    [ "$status" -eq 4 ]
    [ "${stderr_lines[0]}" = "talosvip: $file:12:1: a second document, where only the first is read" ]
    run "$talosvip" validate "$file"
    [ "$status" -eq 1 ]
    [[ $output == *"a second document"* ]]
    contexts
    sed -i -e '1i---' -e '1i---' -e '$a---' "$file" # empty ones do not count
    [ "$(value endpoints --context lab)" = http://127.0.0.1:2379 ]
}

@test "a password is never shown" {
    export ETCDCTL_USER=alice:s3cret
    run "$talosvip" config show --origin
    [ "$status" -eq 0 ]
    [[ $output == *alice* ]]
    [[ $output != *s3cret* ]]
}

@test "a flag of the environment can be off" {
    export ETCDCTL_INSECURE_SKIP_TLS_VERIFY=false
    [ "$(value insecure-skip-tls-verify)" = false ]
    export ETCDCTL_INSECURE_SKIP_TLS_VERIFY=False
    [ "$(value insecure-skip-tls-verify)" = false ]
    export ETCDCTL_INSECURE_SKIP_TLS_VERIFY=true
    [ "$(value insecure-skip-tls-verify)" = true ]
    export TALOSVIP_INSECURE_SKIP_TLS_VERIFY=off
    [ "$(value insecure-skip-tls-verify)" = false ]
    export TALOSVIP_INSECURE_SKIP_TLS_VERIFY=never
    run --separate-stderr "$talosvip" config show
    [ "$status" -eq 2 ]
    [[ $stderr == *'TALOSVIP_INSECURE_SKIP_TLS_VERIFY: "never" is neither true nor false'* ]]
}

# with_agent_file FILE COMMAND...: where FILE is the host's /etc/talosvip/talosvip.yaml.
with_agent_file() {
    local etc=$BATS_TEST_TMPDIR/etc
    mkdir -p "$etc/talosvip"
    cp /etc/ld.so.* /etc/passwd "$etc/" 2>/dev/null || :
    cp "$1" "$etc/talosvip/talosvip.yaml"
    # shellcheck disable=SC2016 # expanded in there
    unshare -m bash -c 'mount --bind "$1" /etc && shift && exec "$@"' bash "$etc" "${@:2}"
}

@test "of this host's configuration only its etcd matters" {
    [ "$(id -u)" -eq 0 ] || skip "root puts a file in /etc"
    local yaml=$BATS_TEST_TMPDIR/agent.yaml
    printf '%s\n' 'apiVersion: talosvip/v1' 'kind: AgentConfig' 'api: {socket: relative}' \
        'etcd: {endpoints: ["https://10.9.9.9:2379"]}' >"$yaml"
    run --separate-stderr with_agent_file "$yaml" "$talosvip" config show --origin
    [ "$status" -eq 0 ]
    [[ $output == *"https://10.9.9.9:2379"*"/etc/talosvip/talosvip.yaml:4"* ]]
    [ -z "$stderr" ]
}

@test "an etcd of this host that cannot be read is told" {
    [ "$(id -u)" -eq 0 ] || skip "root puts a file in /etc"
    local yaml=$BATS_TEST_TMPDIR/agent.yaml text
    for text in 'etcd: {endpoint: ["https://10.9.9.9:2379"]}' 'etcd: {endpoints: [' \
        'etcd: {endpoints: ["10.9.9.9"]}'; do
        printf '%s\n' 'apiVersion: talosvip/v1' 'kind: AgentConfig' "$text" >"$yaml"
        run --separate-stderr with_agent_file "$yaml" "$talosvip" config show
        [ "$status" -eq 0 ]
        [[ $stderr == "talosvip: note: /etc/talosvip/talosvip.yaml:"*": its etcd is not asked" ]]
        run --separate-stderr with_agent_file "$yaml" "$talosvip" config show -e http://a:1
        [ -z "$stderr" ]
    done
    echo '- nothing of ours' >"$yaml"
    run --separate-stderr with_agent_file "$yaml" "$talosvip" config show
    [[ $stderr == "talosvip: note: /etc/talosvip/talosvip.yaml:1: "* ]]
}
