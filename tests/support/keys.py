"""Certificates for tests, a look at handshakes, and a proxy that records what passes."""

import os
import shutil
import socket
import subprocess
import threading

import zmq
from zmq.auth import load_certificate
from zmq.utils.monitor import recv_monitor_message

import broker
from stock_client import pack

STOCKCTL = os.path.join(broker.BIN, "stockctl")
FAILURES = (zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
            | zmq.EVENT_HANDSHAKE_FAILED_AUTH)


class Keys:
    """The certificates of a broker and its clients, made by the programs, in a folder."""

    def __init__(self, directory):
        self.directory = directory
        self.clients = os.path.join(directory, "clients")
        os.makedirs(self.clients)
        self.certificate = self.path("broker")
        made = broker.run_stockd("--keygen", self.certificate)
        assert made.returncode == 0, made
        self.settings = {"certificate": self.certificate, "clients": self.clients}

    def path(self, name):
        return os.path.join(self.directory, name + ".cert")

    def make(self, name):
        """Makes the certificate of a client, which is not allowed yet; returns its keys."""
        subprocess.run([STOCKCTL, "--quiet", "keygen", self.path(name)], check=True,
                       stdout=subprocess.DEVNULL, preexec_fn=broker.die_with_parent)
        return self.of(name)

    def of(self, name):
        """The broker's public key, and the pair of a client."""
        return load_certificate(self.certificate)[0], *load_certificate(self.path(name) + "_secret")

    def allow(self, name):
        shutil.copy(self.path(name), self.clients)

    def forbid(self, name):
        os.remove(os.path.join(self.clients, os.path.basename(self.path(name))))


def handshake(endpoint, keys=None):
    """Sends a ping; returns the event that the handshake ended with.

    Fails when there is a reply though the handshake failed.
    """
    with zmq.Context.instance().socket(zmq.REQ) as peer:
        peer.linger = 0
        if keys is not None:
            peer.curve_serverkey, peer.curve_publickey, peer.curve_secretkey = keys
        monitor = peer.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED | FAILURES)
        try:
            peer.connect(endpoint)
            try:
                peer.send(pack("ping"), zmq.NOBLOCK)
            except zmq.Again:  # it was refused before there was time to send
                pass
            if not monitor.poll(broker.PATIENCE_S * 1000):
                raise AssertionError("the handshake does not end")
            event = recv_monitor_message(monitor)["event"]
            assert event == zmq.EVENT_HANDSHAKE_SUCCEEDED or not peer.poll(0), "there is a reply"
            return event
        finally:
            peer.disable_monitor()
            monitor.close()


def is_refused(endpoint, keys=None):
    return handshake(endpoint, keys) != zmq.EVENT_HANDSHAKE_SUCCEEDED


class Recorder:
    """A TCP proxy that keeps every byte of both directions."""

    def __init__(self, endpoint):
        self.target = ("127.0.0.1", int(endpoint.rsplit(":", 1)[1]))
        self.recorded = {}  # by connection and direction
        self.halves = {}  # pairs of which one direction has ended
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"tcp://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(self.target)
            for pair in ((near, far), (far, near)):
                threading.Thread(target=self.pass_on, args=pair, daemon=True).start()

    def pass_on(self, source, target):
        with self.lock:
            kept = self.recorded.setdefault(len(self.recorded), bytearray())
        try:
            while data := source.recv(65536):
                with self.lock:
                    kept += data
                target.sendall(data)
        except OSError:
            pass
        with self.lock:  # whoever is second closes both
            if self.halves.pop((target, source), None) is None:
                self.halves[(source, target)] = True
                try:
                    target.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
            else:
                source.close()
                target.close()

    def streams(self):
        """What passed, one bytes object for each direction of each connection."""
        with self.lock:
            return [bytes(kept) for kept in self.recorded.values()]

    def close(self):
        self.listener.close()
