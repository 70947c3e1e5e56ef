"""A server in a thread, for as long as a block lasts."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

from production.web import HOST, Find, Server


@contextlib.contextmanager
def serving(server: Server, find: Find, tell: Callable[[str], None]) -> Iterator[None]:
    thread = threading.Thread(target=server.serve, args=(find, tell))
    thread.start()
    try:
        yield
    finally:
        ending = threading.Thread(target=server.shutdown)
        ending.start()
        # It looks twice a second whether it shall end, and whenever somebody knocks.
        with contextlib.suppress(OSError), socket.create_connection((HOST, server.server_port), timeout=10):
            ending.join()
        thread.join()
