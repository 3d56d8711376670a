"""A service that is ready and does nothing; named `workbench` it dies at once."""

import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()


if sys.argv[1] == "workbench":
    sys.exit("no such room")
HTTPServer(("127.0.0.1", int(os.environ[f"{sys.argv[1].upper()}_HTTP_PORT"])), Ready).serve_forever()
