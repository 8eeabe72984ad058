"""Two Python clients for web sockets; each tells what it met, as JSON.

Given: {"client": "websockets" | "websocket-client", "url", "headers", "protocol", "message"}.
Answers: {"protocol", "echo", "close"} or {"status"} of a refused handshake.
"""

import json
import sys


def with_websockets(given):
    from websockets.exceptions import ConnectionClosed, InvalidStatus
    from websockets.sync.client import connect

    try:
        socket = connect(given["url"], additional_headers=given["headers"], subprotocols=[given["protocol"]])
    except InvalidStatus as refused:
        return {"status": refused.response.status_code}
    with socket:
        socket.send(given["message"])
        echo = socket.recv(timeout=10)
        socket.send("close 4001 enough")
        try:
            socket.recv(timeout=10)
        except ConnectionClosed as closed:
            return {"protocol": socket.subprotocol, "echo": echo, "close": [closed.rcvd.code, closed.rcvd.reason]}


def with_websocket_client(given):
    import websocket

    socket = websocket.WebSocket()
    try:
        socket.connect(given["url"], header=given["headers"], subprotocols=[given["protocol"]], timeout=10)
    except websocket.WebSocketBadStatusException as refused:
        return {"status": refused.status_code}
    socket.send(given["message"])
    echo = socket.recv()
    socket.send("close 4001 enough")
    operation, data = socket.recv_data(control_frame=True)
    assert operation == websocket.ABNF.OPCODE_CLOSE, operation
    return {
        "protocol": socket.getsubprotocol(),
        "echo": echo,
        "close": [int.from_bytes(data[:2], "big"), data[2:].decode()],
    }


CLIENTS = {"websockets": with_websockets, "websocket-client": with_websocket_client}

given = json.load(sys.stdin)
print(json.dumps(CLIENTS[given["client"]](given)))
