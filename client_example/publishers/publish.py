"""Publishes one event. Python 3.8 or newer, standard library. Options: see README.md of client_example."""
import json
import os
import ssl
import sys
import time
from http.client import HTTPSConnection
from urllib.parse import urlsplit

env = os.environ.get
url = urlsplit(env("ROOMCAST_PRODUCER_URL") or "https://localhost:2053")
tls = ssl.create_default_context(cafile=env("ROOMCAST_CA") or None)
if env("ROOMCAST_CERT"):
    tls.load_cert_chain(env("ROOMCAST_CERT"), env("ROOMCAST_KEY"))
# One connection for the life of the program; it opens again by itself once the gateway has closed it.
gateway = HTTPSConnection(url.hostname, url.port or 443, timeout=10, context=tls)


def publish(target, event):
    body = json.dumps({**event, "target_id": target}).encode()
    for attempt in range(1, 6):
        gateway.request("POST", "/publish", body, {"Content-Type": "application/json"})
        answer = gateway.getresponse()
        answer.read()
        if answer.status == 200:
            return
        if answer.status not in (429, 503) or attempt == 5:
            sys.exit(f"not published: the gateway answered {answer.status}")
        seconds = answer.getheader("Retry-After", "")
        time.sleep(int(seconds) if seconds.isdecimal() else 1)  # it may also be missing, or a date


publish(os.environ["ROOMCAST_TARGET"], {"message": os.environ["ROOMCAST_MESSAGE"]})
