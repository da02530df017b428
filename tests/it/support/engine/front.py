"""ClickHouse's engine behind ClickHouse's HTTP interface, for tests on machines that have no server.

The engine is real: chDB is ClickHouse as a library, so tables, merges, FINAL, deduplication, constraints, settings and
error codes are what a server of that release has; chdb_engine.py says what chDB lacks. The HTTP in front of it is this file, and
is no more than what the tests need:

- POST and GET with the query in `query`, in the body, or in a multipart form
- `database`, `default_format`, and any other parameter as a setting of this one query
- INSERT with its rows in the body, in any input format; the body plain, chunked, or in native LZ4 frames (`decompress=1`)
- answers plain, in one LZ4 frame (`Accept-Encoding: lz4`), or in native LZ4 frames (`compress=1`)
- one user with a password, by headers, parameters or basic authentication; `/ping`
- exceptions with their code, status and text
- `X-ClickHouse-Query-Id`, the caller's or a new one, and `X-ClickHouse-Summary` with what the engine read and wrote
- TLS, with a certificate that it is given
- grants, profiles and constraints of a file of users (`--users`), of which everybody is `default`

What it does not cover: query parameters, sessions, roles, quotas, `async_insert`, progress headers, streamed answers (an
answer is whole or an error, so an exception in the middle of a 200 cannot happen), `gzip` and `zstd`, replication,
several queries at once (they wait for each other), cancelling a query by closing its connection. Bodies that are cut are
refused, where a server may take what came. Tests of those need a server, or bytes made for the purpose.

    python front.py --path DIR [--port 0] [--user default] [--password ''] [--tls CERTIFICATE KEY] [--users FILE]
                    [--statements FILE] [--until-eof]

Prints `listening on PORT` once it is. With `--until-eof` it ends with the process that holds its stdin. To the file of `--statements` goes
every statement that was executed, as a line of JSON.
"""

import argparse
import base64
import email.parser
import email.policy
import hmac
import json
import os
import ssl
import struct
import sys
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import lz4.block
import lz4.frame
from clickhouse_cityhash.cityhash import CityHash128

from chdb_engine import INSERT_WITH_ROWS, Engine, Refused

NO_SETTINGS = {
    "query", "database", "default_format", "compress", "decompress", "user", "password", "query_id", "session_id",
    "session_timeout", "session_check", "role", "quota_key", "wait_end_of_query", "buffer_size",
    "enable_http_compression", "cancel_http_readonly_queries_on_client_close",
}
STATUS = {
    3: 400, 6: 400, 27: 400, 33: 400, 38: 400, 41: 400, 43: 400, 47: 404, 48: 501, 53: 400, 57: 500, 60: 404, 62: 400,
    81: 404, 115: 404, 117: 400, 159: 408, 192: 403, 193: 403, 194: 403, 497: 403, 516: 403,
}
BLOCK = 1 << 20


def from_frames(data):
    """The bytes in ClickHouse's native frames: checksum 16, method 1, sizes 4 and 4, bytes."""
    plain, at = [], 0
    while at < len(data):
        if len(data) - at < 25:
            raise Refused(3, "Code: 3. DB::Exception: Attempt to read after eof. (ATTEMPT_TO_READ_AFTER_EOF)")
        method, packed, size = struct.unpack_from("<BII", data, at + 16)
        frame = data[at + 16:at + 16 + packed]
        if len(frame) != packed:
            raise Refused(33, "Code: 33. DB::Exception: Cannot read all data. (CANNOT_READ_ALL_DATA)")
        if checksum(frame) != data[at:at + 16]:
            raise Refused(40, "Code: 40. DB::Exception: Checksum doesn't match. (CHECKSUM_DOESNT_MATCH)")
        if method == 0x82:
            plain.append(lz4.block.decompress(frame[9:], uncompressed_size=size))
        elif method == 0x02:
            plain.append(frame[9:])
        else:
            raise Refused(432, f"Code: 432. DB::Exception: Unknown codec family code: {method}. (UNKNOWN_CODEC)")
        at += 16 + packed
    return b"".join(plain)


def to_frames(data):
    frames = []
    for at in range(0, len(data), BLOCK):
        plain = data[at:at + BLOCK]
        packed = lz4.block.compress(plain, store_size=False)
        frame = struct.pack("<BII", 0x82, len(packed) + 9, len(plain)) + packed
        frames.append(checksum(frame) + frame)
    return b"".join(frames)


def checksum(frame):
    high_first = CityHash128(frame)
    return struct.pack("<QQ", high_first >> 64, high_first & (2**64 - 1))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    engine = None
    user = ("default", "")
    statements = None

    def do_GET(self):
        if urlsplit(self.path).path == "/ping":
            return self.reply(200, b"Ok.\n", {})
        return self.serve()

    def do_POST(self):
        return self.serve()

    def serve(self):
        body = self.body()
        if body is None:  # It was cut: whoever sent it is gone.
            self.close_connection = True
            return None
        given = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        headers = {"X-ClickHouse-Query-Id": given.get("query_id") or str(uuid.uuid4())}
        try:
            self.check_user(given)
            answer, cost = self.answer(given, body)
        except Refused as refused:
            headers["X-ClickHouse-Exception-Code"] = str(refused.code)
            return self.reply(STATUS.get(refused.code, 500), str(refused).encode() + b"\n", headers)
        headers["X-ClickHouse-Summary"] = json.dumps(cost, separators=(",", ":"))
        if given.get("compress") == "1":
            answer = to_frames(answer)
        elif answer and "lz4" in self.headers.get("Accept-Encoding", ""):
            answer, headers["Content-Encoding"] = lz4.frame.compress(answer), "lz4"
        return self.reply(200, answer, headers)

    def answer(self, given, body):
        if given.get("decompress") == "1":
            body = from_frames(body)
        if "multipart/form-data" in self.headers.get("Content-Type", ""):
            given |= self.form(body)
            body = b""
        sql, rows = given.get("query", ""), None
        if INSERT_WITH_ROWS.match(sql):
            rows = body
        else:
            sql += body.decode()
        settings = [(name, value) for name, value in given.items() if name not in NO_SETTINGS]
        form = given.get("default_format", "TabSeparated")
        answer = self.engine.run(sql, rows, given.get("database") or "default", form, settings)
        if self.statements:
            with open(self.statements, "a") as file:
                file.write(json.dumps(sql) + "\n")
        return answer

    def form(self, body):
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
        fields = {}
        for part in message.iter_parts():
            name = part.get_param("name", header="content-disposition")
            fields[name] = part.get_payload(decode=True).decode()
        return fields

    def check_user(self, given):
        name, password = self.headers.get("X-ClickHouse-User"), self.headers.get("X-ClickHouse-Key")
        basic = self.headers.get("Authorization", "")
        if basic.startswith("Basic "):
            name, _, password = base64.b64decode(basic[6:]).decode().partition(":")
        name, password = given.get("user", name), given.get("password", password)
        right = (name or "default") == self.user[0]
        if not (right & hmac.compare_digest((password or "").encode(), self.user[1].encode())):
            text = "Authentication failed: password is incorrect, or there is no user with such name."
            raise Refused(516, f"Code: 516. DB::Exception: {name}: {text} (AUTHENTICATION_FAILED)")

    def body(self):
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            return body if len(body) == length else None
        chunks = []
        while True:
            size = self.rfile.readline().strip()
            if not size:
                return None
            size = int(size.split(b";")[0], 16)
            chunk = self.rfile.read(size)
            if len(chunk) != size or self.rfile.readline() != b"\r\n":
                return None
            if size == 0:
                return b"".join(chunks)
            chunks.append(chunk)

    def reply(self, status, body, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (ConnectionError, ssl.SSLError)):
            super().handle_error(request, client_address)


def main():
    parser = argparse.ArgumentParser(description="ClickHouse's engine behind its HTTP interface, for tests")
    parser.add_argument("--path", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--user", default="default")
    parser.add_argument("--password", default="")
    parser.add_argument("--tls", nargs=2, metavar=("CERTIFICATE", "KEY"))
    parser.add_argument("--users")
    parser.add_argument("--statements")
    parser.add_argument("--until-eof", action="store_true")
    given = parser.parse_args()
    # chDB 1 and 2 take what comes on stdin for the rows of an INSERT, and wait for it.
    holder = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
    Handler.engine = Engine(given.path, given.users)
    Handler.user = (given.user, given.password)
    Handler.statements = given.statements
    server = Server(("127.0.0.1", given.port), Handler)
    if given.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*given.tls)
        # The handshake is made by the connection's own thread, at its first read.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"listening on {server.server_address[1]}", flush=True)
    if given.until_eof:
        while holder.read(4096):
            pass
    else:
        threading.Event().wait()
    server.shutdown()
    Handler.engine.close()
    sys.stdout.flush()
    # Threads of connections that are still open wait for nothing any more.
    os._exit(0)


if __name__ == "__main__":
    main()
