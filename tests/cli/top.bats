#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# top without a terminal: text, JSON, replay, and what it refuses.

setup() {
    TALOSVIP=$BATS_TEST_DIRNAME/../../build/talosvip
    DATA=$BATS_TEST_DIRNAME/../ui/data
    GOLDEN=$BATS_TEST_DIRNAME/../ui/golden
    unset TALOSVIP_ENDPOINTS ETCDCTL_ENDPOINTS COLUMNS
}

teardown() { [ -z "${pid-}" ] || kill "$pid" 2>/dev/null || true; }

# refuses WORD ARGUMENTS: exit 2 with one line that holds WORD.
refuses() {
    local word=$1
    shift
    run "$TALOSVIP" top "$@"
    [ "$status" = 2 ] || { echo "$status: $output"; return 1; }
    grep -qF -- "$word" <<<"${lines[0]}"
}

@test "a replay as text is the golden screen, without the keys" {
    for name in ok dup stale talos big; do
        "$TALOSVIP" top --replay "$DATA/$name.jsonl" -b -n 1 --size 80x24 --ascii \
            >"$BATS_TEST_TMPDIR/out"
        # The screen's last lines are blank ones and the keys; text ends before them.
        n=$(wc -l <"$BATS_TEST_TMPDIR/out")
        diff <(head -n $((n < 23 ? n : 23)) "$GOLDEN/$name-80x24-ascii.txt") \
            <(head -n 23 "$BATS_TEST_TMPDIR/out")
    done
}

@test "text is as long as it takes, has no escapes, and ends with one newline" {
    run "$TALOSVIP" top --replay "$DATA/big.jsonl"
    [ "$status" = 0 ]
    [ "${#lines[@]}" -gt 250 ]
    ! grep -q $'\e' <<<"$output"
    ! grep -q 'q Quit' <<<"$output"
    "$TALOSVIP" top --replay "$DATA/ok.jsonl" | tail -c 1 | grep -q '^$'
}

@test "samples are separated by a blank line, JSON by none" {
    cat "$DATA/ok.jsonl" "$DATA/dup.jsonl" >"$BATS_TEST_TMPDIR/two.jsonl"
    [ "$("$TALOSVIP" top --replay "$BATS_TEST_TMPDIR/two.jsonl" -b | grep -c '^$')" = 1 ]
    "$TALOSVIP" top --replay "$BATS_TEST_TMPDIR/two.jsonl" -o json >"$BATS_TEST_TMPDIR/again.jsonl"
    [ "$(wc -l <"$BATS_TEST_TMPDIR/again.jsonl")" = 2 ]
    "$TALOSVIP" top --replay "$BATS_TEST_TMPDIR/again.jsonl" -o json |
        cmp - "$BATS_TEST_TMPDIR/again.jsonl"
    [ "$("$TALOSVIP" top --replay - -o json -n 1 <"$BATS_TEST_TMPDIR/two.jsonl" | wc -l)" = 1 ]
}

@test "--at and the filters choose" {
    cat "$DATA/ok.jsonl" "$DATA/dup.jsonl" "$DATA/stale.jsonl" >"$BATS_TEST_TMPDIR/three.jsonl"
    run "$TALOSVIP" top --replay "$BATS_TEST_TMPDIR/three.jsonl" --at 14:07:10
    grep -q '1 DUPLICATE' <<<"$output"
    run "$TALOSVIP" top --replay "$DATA/ok.jsonl" --vip fd00:10::50 --node cp-3
    grep -q 'VIPs 1 ' <<<"$output"
    grep -q 'Nodes 1 ' <<<"$output"
    run "$TALOSVIP" top --replay "$DATA/ok.jsonl" --preset etcd
    grep -q '^MEMBER ' <<<"$output"
}

@test "--redact leaves no name and no address" {
    local data
    for data in dup peers; do
        run "$TALOSVIP" top --replay "$DATA/$data.jsonl" -o json --redact
        [ "$status" = 0 ]
        ! grep -qE 'cp-[0-9]|10\.0\.0|fd00|52:54|prod|alice' <<<"$output" || false
    done
    grep -qF '"agents":[{"node":"node-' <<<"$output"
}

@test "a reader that goes away is no error, and no endless writing" {
    for _ in 1 2 3 4 5 6 7 8; do cat "$DATA/big.jsonl"; done >"$BATS_TEST_TMPDIR/long.jsonl"
    timeout 5 "$TALOSVIP" top --replay "$BATS_TEST_TMPDIR/long.jsonl" -b | head -n 1 | grep -q talosvip
}

@test "bad values" {
    refuses '0.5 and 10' -d 0
    refuses '0.5 and 10' -d soon
    refuses '0.5 and 10' -d nan
    refuses 'number of samples' -b -n 0
    refuses 'COLSxROWS' --once --size 80
    refuses 'COLSxROWS' --once --size 9999x1
    refuses '0.25 and 60' --replay x --speed 0
    refuses '0.25 and 60' --replay x --speed nan
    refuses 'exclude' --ascii --utf8
    refuses 'goes with --replay' --at 09:12
    refuses 'goes with the screen' --record x --once
    refuses 'is not an IP address' --vip 10.0.0.300
    refuses 'time in UTC' --replay "$DATA/ok.jsonl" --at soon
}

@test "what cannot be read is exit status 4" {
    run "$TALOSVIP" top --replay /nonexistent
    [ "$status" = 4 ]
    run "$TALOSVIP" top --replay /dev/null
    [ "$status" = 4 ]
    grep -q 'no sample' <<<"$output"
    run "$TALOSVIP" top --once -e http://127.0.0.1:1
    [ "$status" = 4 ]
    grep -q 'UNREACHABLE 0/1' <<<"$output"
}

@test "an end by a signal is one" {
    for format in text json; do
        "$TALOSVIP" top -b -o "$format" -e http://127.0.0.1:1 >"$BATS_TEST_TMPDIR/$format" 2>&1 3>&- &
        pid=$!
        until [ -s "$BATS_TEST_TMPDIR/$format" ]; do read -rt 0.05 <> <(:) || true; done
        kill -TERM $pid
        status=0
        wait $pid || status=$?
        [ "$status" = 143 ]
    done
}
