"""crash.py RESULT COMMAND...: starts COMMAND, waits until it has written RESULT, sends it a SIGSEGV, and ends with its exit status."""

import os
import signal
import subprocess
import sys
import time

process = subprocess.Popen(sys.argv[2:])
while process.poll() is None and not (os.path.exists(sys.argv[1]) and os.path.getsize(sys.argv[1])):
    time.sleep(0.01)
process.send_signal(signal.SIGSEGV)
sys.exit(process.wait())
