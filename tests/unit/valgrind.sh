#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# valgrind.sh DIR: runs the unit tests that need neither namespaces nor a real etcd under valgrind.
set -eu
dir=$1
here=$(dirname "$0")
tests=()
for test in "$dir"/test_core_* "$dir"/test_base_* "$dir"/test_config_* "$dir"/test_net_frame* \
    "$dir"/test_net_datagram* "$dir"/test_net_fence_record* "$dir"/test_etcd_keys* "$dir"/test_etcd_message* \
    "$dir"/test_etcd_peers_record* "$dir"/test_etcd_record* "$dir"/test_cluster_snapshot* \
    "$dir"/test_cluster_alerts* "$dir"/test_cluster_events* "$dir"/test_api_status* \
    "$dir"/test_api_metrics* "$dir"/test_agent_health* "$dir"/test_agent_history* \
    "$dir"/test_cli_* "$dir"/test_log*; do
    # The tests that make allocations fail replace malloc, as valgrind does.
    # valgrind knows no pidfd_open(2), which children need.
    case $test in *.[od] | *nomem* | *base_child*) continue ;; esac
    [ -x "$test" ] && tests+=("$test")
done
export TEST_WRAPPER="valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite"
exec "$here/run.sh" "${tests[@]}"
