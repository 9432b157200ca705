"""Listens as one user and prints each event as a line of JSON. Needs python-socketio 5, requests and websocket-client.

Options are environment variables; README.md lists them.
"""
import hashlib
import json
import os
import random
import sys
import time
from datetime import datetime, timezone
from urllib.parse import urlencode

import requests
import socketio

env = os.environ.get
url = env("ROOMCAST_URL") or "https://localhost:8443"
query = urlencode({"uniqueUserId": os.environ["ROOMCAST_USER"]})
transports = env("ROOMCAST_TRANSPORTS").split(",") if env("ROOMCAST_TRANSPORTS") else None
session = requests.Session()
session.verify = env("ROOMCAST_CA") or True  # both transports go by it
# This client takes an orderly end of the gateway for its own and stays away; the loop below always comes back.
client = socketio.Client(http_session=session, reconnection=False)
refusals = []


def auth():
    """Called at every connect: a daily token that was computed once is refused after midnight."""
    if env("ROOMCAST_TOKEN"):
        return {"token": env("ROOMCAST_TOKEN")}
    with open(os.environ["WEBSOCKET_AUTH_TOKEN_SECRET_FILE"], encoding="utf-8") as file:
        secret = file.read().rstrip("\r\n")
    day = datetime.now(timezone.utc)
    return {"token": hashlib.sha512(f"{secret}{day.year}-{day.month}-{day.day}".encode()).hexdigest()}


def say(words):
    print(words, file=sys.stderr, flush=True)


def connect_error(reason):
    if isinstance(reason, dict):  # by the gateway, which will not think otherwise of it
        refusals.append(reason["message"])
        client.disconnect()


client.on("connect", lambda: say(f"connected by {client.transport()}"))
client.on("connect_error", connect_error)
client.on("*", lambda event, *args: print(json.dumps({"event": event, "args": args}), flush=True))

while not refusals:
    try:
        client.connect(f"{url}?{query}", auth=auth, transports=transports, wait=False)
        client.wait()
        say("disconnected")
    except socketio.exceptions.ConnectionError as error:
        say(f"no connection: {error}")
    time.sleep(random.uniform(1, 5))  # not everybody at once
sys.exit(f"refused: {refusals[0]}")
