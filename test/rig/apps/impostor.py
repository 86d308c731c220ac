"""Answers on ports as somebody else, and prints what has reached it: impostor.py INTERFACE PORT...

The payload is counted on the link itself, so that a segment of a connection that nobody here knows counts as well.
"""
import json
import socket
import struct
import sys
import threading

seen = {"connections": 0, "received": 0, "payload": 0}
lock = threading.Lock()


def count(what, number):
    with lock:
        seen[what] += number
        print(json.dumps(seen), flush=True)


def answer(connection):
    with connection:
        try:
            while data := connection.recv(65536):
                count("received", len(data))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\nimpostor")
        except OSError:
            pass


def serve(port):
    server = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    while True:
        connection, _ = server.accept()
        count("connections", 1)
        threading.Thread(target=answer, args=(connection,), daemon=True).start()


def payload_of(packet):
    """The number of bytes that a TCP segment carries; 0 for anything else."""
    version = packet[0] >> 4
    if version == 4 and packet[9] == socket.IPPROTO_TCP:
        start = (packet[0] & 15) * 4
        end = struct.unpack("!H", packet[2:4])[0]
    elif version == 6 and packet[6] == socket.IPPROTO_TCP:
        start = 40
        end = 40 + struct.unpack("!H", packet[4:6])[0]
    else:
        return 0
    return end - start - (packet[start + 12] >> 4) * 4


interface = sys.argv[1]
link = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
link.bind((interface, 0))
for port in sys.argv[2:]:
    threading.Thread(target=serve, args=(int(port),), daemon=True).start()
count("connections", 0)
while True:
    packet, (_, _, direction, _, _) = link.recvfrom(65536)
    if direction != socket.PACKET_OUTGOING and packet and (length := payload_of(packet)) > 0:
        count("payload", length)
