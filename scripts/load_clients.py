"""Clients of an HTTP server that no server likes, for scripts/load-levels: idle ones, slow ones, ones that leave at once.

Each is a thread of its own at a low priority.
"""

import json
import os
import selectors
import socket
import struct
import threading

NICENESS = 10


def start(work):
    """Runs it in a thread that gives way to others."""

    def run():
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        work()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def connect(address, receive_bytes=None):
    connection = socket.socket()
    if receive_bytes:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    connection.settimeout(30)
    connection.connect(address)
    return connection


def head(address, method, path, length=0):
    return (f"{method} {path} HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {length}\r\n\r\n").encode()


def completion(address, body):
    text = json.dumps(body).encode()
    return head(address, "POST", "/v1/completions", len(text)) + text


class IdleConnections:
    """Connections that are kept alive by a request now and then."""

    def __init__(self, address, count, every=30):
        self.address, self.every = address, every
        self.connections = [connect(address) for _ in range(count)]
        self.lost = 0
        self.ping()
        self.stopped = threading.Event()
        self.thread = start(self.run)

    def ping(self):
        for connection in self.connections:
            try:
                connection.sendall(head(self.address, "GET", "/health"))
                if not connection.recv(4096).startswith(b"HTTP/1.1 200"):
                    self.lost += 1
            except OSError:
                self.lost += 1

    def run(self):
        while not self.stopped.wait(self.every):
            self.ping()

    def close(self):
        self.stopped.set()
        self.thread.join()
        for connection in self.connections:
            connection.close()


def large_answer(number, tokens):
    """A request whose answer is, for 480 tokens, some megabytes: more than the system's own buffers take."""
    prompt = [300 + (number * 37 + place * 11) % 700 for place in range(16)]
    return {"prompt": prompt, "n": 8, "logprobs": 20, "max_tokens": tokens, "temperature": 0, "ignore_eos": True,
            "stream": True}


class Readers:
    """Clients with large answers: each takes `bytes_per_second`, or none with 0, or all as it comes with None."""

    def __init__(self, address, count, bytes_per_second, tokens=480):
        self.address, self.rate, self.tokens = address, bytes_per_second, tokens
        self.selector = selectors.DefaultSelector()
        self.count, self.number, self.dropped, self.taken = count, 0, 0, 0
        for _ in range(count):
            self.open()
        self.stopped = threading.Event()
        self.thread = start(self.run)

    def open(self):
        connection = connect(self.address, 4096 if self.rate is not None else None)
        connection.sendall(completion(self.address, large_answer(self.number, self.tokens)))
        connection.setblocking(False)
        self.number += 1
        self.selector.register(connection, selectors.EVENT_READ)

    def run(self):
        while not self.stopped.wait(0 if self.rate is None else 1):
            if self.rate is None:
                for key, _ in self.selector.select(0.2):
                    self.take(key.fileobj, 1 << 16)
            elif self.rate > 0:
                for key in list(self.selector.get_map().values()):
                    self.take(key.fileobj, self.rate)

    def take(self, connection, count):
        try:
            data = connection.recv(count)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self.taken += len(data)
        if data and not (self.rate is None and b"data: [DONE]" in data):
            return
        self.selector.unregister(connection)
        connection.close()
        if self.rate is not None:
            self.dropped += 1
            return
        try:
            self.open()
        except OSError:
            self.dropped += 1

    def close(self):
        self.stopped.set()
        self.thread.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()


class ComeAndGo:
    """Connections of five kinds in turn, each closed without waiting, every other with a reset."""

    def __init__(self, address, count):
        self.address, self.count, self.refused = address, count, 0
        start(self.run).join()

    def run(self):
        body = {"prompt": [300, 301, 302, 303], "max_tokens": 64, "ignore_eos": True, "stream": True}
        texts = [b"", b"POST /v1/comp", head(self.address, "GET", "/health"),
                 head(self.address, "POST", "/v1/completions", 500), completion(self.address, body)]
        for number in range(self.count):
            try:
                connection = connect(self.address)
                if number % 2:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.sendall(texts[number % len(texts)])
                connection.close()
            except OSError:
                self.refused += 1
