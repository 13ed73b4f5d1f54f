"""A shop as a student would write it: a thread a connection, a lock, pickle. Nothing is durable.

usage: server_pickle.py ITEMS     (a file of "upc,units" lines; prints its port)
"""

import pickle
import socketserver
import struct
import sys
import threading

lock = threading.Lock()
levels = {}
sessions = {}


def buy(session, token, order, upc, units):
    with lock:
        state = sessions.get(session)
        if state is None or state["token"] != token:
            return ("not_logged_in", 0, 0)
        if order == state["order"]:
            return state["reply"] if state["body"] == (upc, units) else ("order_reused", 0, 0)
        if order != state["order"] + 1:
            return ("order_gap", 0, 0)
        if upc not in levels:
            reply = ("unknown_item", order, 0)
        elif levels[upc] < units:
            reply = ("insufficient_stock", order, levels[upc])
        else:
            levels[upc] -= units
            reply = ("ok", order, units)
        state.update(order=order, body=(upc, units), reply=reply)
        return reply


def answer(operation, session, token, order, upc, units):
    if operation == "buy":
        return buy(session, token, order, upc, units)
    with lock:
        if operation == "login":
            sessions[session] = {"token": token, "order": 0, "body": None, "reply": None}
            return ("ok", 0, 0)
        if session not in sessions or sessions[session]["token"] != token:
            return ("not_logged_in", 0, 0)
        if operation == "view":
            return ("ok", 0, levels[upc]) if upc in levels else ("unknown_item", 0, 0)
        return ("ok", 0, sum(levels.values()))


class Handler(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self):
        while header := self.rfile.read(4):
            request = pickle.loads(self.rfile.read(struct.unpack(">I", header)[0]))
            reply = pickle.dumps(answer(*request))
            self.wfile.write(struct.pack(">I", len(reply)) + reply)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024


with open(sys.argv[1], encoding="ascii") as file:
    for line in file:
        upc, units = line.split(",")
        levels[int(upc)] = int(units)
with Server(("127.0.0.1", 0), Handler) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
