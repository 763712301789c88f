#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What the booted system runs as a service: the test that /trial/test names. A container writes its
# lines to a file, a virtual machine to its second serial line.
set -u
report=/trial/report
if [ -c /dev/ttyS1 ] && ! systemd-detect-virt -cq; then
    report=/dev/ttyS1
    stty -F $report raw
fi
exec >>$report 2>&1 </dev/null
"/trial/tests/packaging/guest/$(cat /trial/test).sh"
echo "ended $?"
