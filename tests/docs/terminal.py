#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""terminal.py SECONDS [EXPECT ANSWER]... -- COMMAND: runs it in a terminal of 80x24 and answers.

Each EXPECT is a regular expression of what it prints, \\1 in ANSWER what that matched; they are tried
at every new output, and an answer is given once. Prints what the terminal showed; ends with the
command's status, or 124 when it took longer.
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

end = time.monotonic() + float(sys.argv[1])
split = sys.argv.index("--")
words = sys.argv[2:split]
answers = list(zip(words[::2], words[1::2]))
pid, terminal = pty.fork()
if pid == 0:
    os.environ.update(TERM="xterm", LINES="24", COLUMNS="80")
    os.execvp(sys.argv[split + 1], sys.argv[split + 1 :])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
shown = b""
while True:
    left = end - time.monotonic()
    if left <= 0:
        os.kill(pid, signal.SIGKILL)
        break
    if not select.select([terminal], [], [], left)[0]:
        continue
    try:
        piece = os.read(terminal, 65536)
    except OSError:
        break
    if not piece:
        break
    shown += piece
    for answer in answers:
        match = re.search(answer[0].encode(), shown)
        if match:
            answers.remove(answer)
            os.write(terminal, match.expand(answer[1].encode()))
            break
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.stdout.buffer.write(shown.replace(b"\r", b""))
sys.exit(124 if left <= 0 else 128 - status if status < 0 else status)
