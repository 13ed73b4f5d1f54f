"""Just enough ZMTP 3.0 over raw sockets to misbehave in it."""

import fcntl
import socket
import struct
import termios

GREETING = (b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + b"\0"
            + bytes(31))
MORE, LONG, COMMAND = 1, 2, 4
PATIENCE_S = 60


def frame(data, flags=0):
    """The bytes of one frame."""
    if len(data) < 256:
        return bytes([flags, len(data)]) + data
    return bytes([flags | LONG]) + len(data).to_bytes(8, "big") + data


def request(data):
    """The bytes of a message as a REQ socket sends it."""
    return frame(b"", MORE) + frame(data)


def ready(socket_type=b"REQ"):
    """The command that ends a handshake."""
    return frame(b"\x05READY" + b"\x0bSocket-Type" + len(socket_type).to_bytes(4, "big")
                 + socket_type, COMMAND)


def connect(port, receive_buffer=None):
    """A TCP connection to the broker. `receive_buffer`: bytes that the kernel keeps of what comes."""
    connection = socket.socket()
    connection.settimeout(PATIENCE_S)
    if receive_buffer is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.connect(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def unread(connection):
    """How many bytes have come that were not read."""
    return struct.unpack("i", fcntl.ioctl(connection, termios.FIONREAD, bytes(4)))[0]


def take(connection, size):
    """Receives exactly `size` bytes."""
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ConnectionError("closed in the middle of a handshake")
        data += more
    return data


def shake_hands(connection):
    """Goes through a handshake as a REQ socket does; returns the connection."""
    connection.sendall(GREETING + ready())
    take(connection, len(GREETING))
    take(connection, take(connection, 2)[1])
    return connection
