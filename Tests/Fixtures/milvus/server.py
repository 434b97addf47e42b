"""A gRPC server over TLS that behaves badly on purpose, for MilvusFaultTests.

    python server.py FOLDER

It makes a certificate in FOLDER/server.pem, and prints its port. `Flush` fails twice as an
unavailable server does, then is limited in its rate, then succeeds. `CheckHealth` answers true if
the token and the database are right. `GetVersion` never answers. `Delete` is refused.
"""

import base64
import subprocess
import sys
import threading
from concurrent import futures

import grpc

folder = sys.argv[1]
subprocess.run(
    ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
     "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", f"{folder}/key.pem",
     "-out", f"{folder}/server.pem"],
    check=True, capture_output=True)

SUCCESS = b""
HEALTHY = b"\x10\x01"  # isHealthy = true
LIMITED = b"\x0a\x02\x18\x08"  # status { code: 8 }
flushes = 0
ended = threading.Event()


def flush(request, context):
    global flushes
    flushes += 1
    if flushes <= 2:
        context.abort(grpc.StatusCode.UNAVAILABLE, "not yet")
    return LIMITED if flushes == 3 else SUCCESS


def check_health(request, context):
    given = dict(context.invocation_metadata())
    token = base64.b64encode(b"root:secret").decode()
    if given.get("authorization") != token:
        context.abort(grpc.StatusCode.UNAUTHENTICATED, "auth check failure")
    return HEALTHY if given.get("dbname") == "shop" else SUCCESS


def get_version(request, context):
    ended.wait(60)  # far longer than the client does
    return SUCCESS


def delete(request, context):
    context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no such thing")


class Handler(grpc.GenericRpcHandler):
    calls = {"Flush": flush, "CheckHealth": check_health, "GetVersion": get_version,
             "Delete": delete}

    def service(self, details):
        name = details.method.removeprefix("/milvus.proto.milvus.MilvusService/")
        call = self.calls.get(name)
        return call and grpc.unary_unary_rpc_method_handler(call)


server = grpc.server(futures.ThreadPoolExecutor(8))
server.add_generic_rpc_handlers([Handler()])
with open(f"{folder}/key.pem", "rb") as key, open(f"{folder}/server.pem", "rb") as certificate:
    credentials = grpc.ssl_server_credentials([(key.read(), certificate.read())])
port = server.add_secure_port("localhost:0", credentials)
server.start()
print(port, flush=True)
sys.stdin.read()  # until the test closes it
ended.set()
server.stop(0)
