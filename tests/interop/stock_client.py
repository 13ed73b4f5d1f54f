"""A client of the inventory bus that knows nothing but PROTOCOL.md."""

import os
import time

import msgpack
import zmq

VERSION = 1
MESSAGE_SIZE_MAX = 65536
PATIENCE_MS = 60000  # for what comes soon on any machine that is not stuck


class Unanswered(Exception):
    """No reply came."""


class Untrusted(Exception):
    """A reply came that is none, or not from the broker that was dealt with before."""


class Link:
    """A REQ socket that is thrown away when a reply is missing."""

    def __init__(self, endpoint, context=None, keys=None):
        """`keys`: for an encrypted connection, the broker's public key and the client's two."""
        self.endpoint = endpoint
        self.keys = keys
        self.context = context or zmq.Context.instance()
        self.socket = None

    def exchange(self, frames, timeout_ms=None):
        """Sends a request, the bytes of one frame or a list of frames, and returns the reply's."""
        if self.socket is None:
            self.socket = self.context.socket(zmq.REQ)
            self.socket.linger = 0
            self.socket.maxmsgsize = MESSAGE_SIZE_MAX
            self.socket.ipv6 = True
            if self.keys is not None:
                (self.socket.curve_serverkey, self.socket.curve_publickey,
                 self.socket.curve_secretkey) = self.keys
            self.socket.connect(self.endpoint)
        self.socket.send_multipart([frames] if isinstance(frames, bytes) else frames)
        if not self.socket.poll(timeout_ms or PATIENCE_MS):
            self.close()
            raise Unanswered(self.endpoint)
        reply = self.socket.recv_multipart()
        if len(reply) != 1:
            raise Untrusted("a reply is one frame")
        return reply[0]

    def close(self):
        if self.socket is not None:
            self.socket.close()
            self.socket = None


class PatientLink(Link):
    """Sends the same bytes again after silence, as a client that stays has to."""

    def exchange(self, frames, timeout_ms=None):
        deadline = time.monotonic() + (timeout_ms or PATIENCE_MS) / 1000
        while True:
            try:
                return super().exchange(frames, 3000)
            except Unanswered:
                if time.monotonic() > deadline:
                    raise


def pack(operation, **members):
    """The bytes of a request."""
    return msgpack.packb({"v": VERSION, "op": operation, **members})


def unpack(data):
    """The members of a reply. Those of a later version of the protocol do no harm."""
    reply = msgpack.unpackb(data)
    if (not isinstance(reply, dict) or reply.get("v") != VERSION
            or not isinstance(reply.get("status"), str)
            or not isinstance(reply.get("history"), bytes) or len(reply["history"]) != 8
            or not isinstance(reply.get("position"), int)):
        raise Untrusted(f"not a reply: {data.hex()}")
    return reply


class Client:
    """One user's session: keeps what PROTOCOL.md says a client has to keep, in memory."""

    def __init__(self, endpoint, context=None, keys=None):
        self.link = Link(endpoint, context, keys)
        self.history = None
        self.position = 0
        self.session = None
        self.token = None
        self.order_next = 1
        self.request = None  # of the last order, byte for byte
        self.known = 0  # position that was known when it was first sent
        self.reply = None  # its reply, likewise

    def close(self):
        self.link.close()

    def ask(self, request, known=None):
        """Sends a request and returns the reply. `known`: the position that it must reach."""
        self.reply = self.link.exchange(request)
        reply = unpack(self.reply)
        if self.history not in (None, reply["history"]):
            raise Untrusted("a reply from another history")
        if reply["position"] < (self.position if known is None else known):
            raise Untrusted("a reply from before what was seen")
        self.history = reply["history"]
        self.position = max(self.position, reply["position"])
        return reply

    def ping(self):
        return self.ask(pack("ping"))

    def login(self, user, password, nonce=None):
        """Logs in: the same bytes again and again while the broker is busy."""
        request = pack("login", nonce=nonce or os.urandom(16), user=user, password=password)
        deadline = time.monotonic() + PATIENCE_MS / 1000
        reply = self.ask(request)
        while reply["status"] == "busy" and time.monotonic() < deadline:
            # tidy: sleep: as long as the broker asked for
            time.sleep(reply.get("retry_ms", 1000) / 1000)
            reply = self.ask(request)
        if reply["status"] == "ok":
            self.session, self.token = reply["session"], reply["token"]
            self.order_next = 1
        return reply

    def pack(self, operation, **members):
        """The bytes of a request within the session."""
        return pack(operation, session=self.session, token=self.token, **members)

    def view(self, *upcs):
        return self.ask(self.pack("view", **({"items": list(upcs)} if upcs else {})))

    def view_after(self, upc):
        return self.ask(self.pack("view", after=upc))

    def view_all(self):
        """All items, page by page: {upc: (name, units)}."""
        items = {}
        reply = self.view()
        while True:
            assert reply["status"] == "ok", reply
            for upc, name, units in reply["items"]:
                assert not items or upc > max(items), "pages ascend"
                items[upc] = (name, units)
            if not reply["more"]:
                return items
            reply = self.view_after(reply["items"][-1][0])

    def units(self, upc):
        """The level of one item."""
        return self.view(upc)["items"][0][2]

    def order(self, operation, lines, number=None):
        """Sends an order; `lines` is [[upc, units], ...]. A number of its own is no new order."""
        if number is None:
            number = self.order_next
            self.known = self.position
        return self.send_order(self.pack(operation, order=number, lines=lines))

    def send_order(self, request):
        """Sends the bytes of an order; its number is used when the reply names it."""
        self.request = request
        reply = self.ask(request, self.known)
        if reply.get("order") == self.order_next:
            self.order_next += 1
        return reply

    def buy(self, *lines):
        return self.order("buy", [list(line) for line in lines])

    def restock(self, *lines):
        return self.order("restock", [list(line) for line in lines])

    def void(self, number):
        return self.send_order(self.pack("void", order=number))

    def repeat_order(self):
        """The last order again, byte for byte; returns the bytes of the reply."""
        self.send_order(self.request)
        return self.reply

    def stats(self):
        return self.ask(self.pack("stats"))

    def logout(self):
        return self.ask(self.pack("logout"))
