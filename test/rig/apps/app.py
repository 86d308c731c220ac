"""A small backend of the kind people run behind Gunicorn: Flask, with pandas for its numbers.

Paths have no /api prefix, as Caddy's handle_path takes it off.
"""

import getpass
import hashlib
import os
import random
import time

import pandas
from flask import Flask, Response, jsonify, request

app = Flask(__name__)


@app.get("/")
def page():
    return "<!doctype html><title>Flask</title><h1>Flask behind Gunicorn</h1>\n"


@app.get("/hello")
def hello():
    return jsonify(hello="flask", user=getpass.getuser(), pid=os.getpid(), app=os.environ.get("APP_NAME"))


@app.get("/frame")
def frame():
    visits = pandas.DataFrame({"day": ["Mon", "Tue", "Wed"], "visits": [3, 5, 8]})
    visits["total"] = visits["visits"].cumsum()
    return Response(visits.to_json(orient="records"), mimetype="application/json")


@app.post("/echo")
def echo():
    return Response(request.get_data(), mimetype=request.mimetype or "application/octet-stream")


@app.get("/bytes/<int:length>")
def some_bytes(length):
    """Pseudo-random bytes, the same for the same length, with their hash in X-SHA256."""
    digest = hashlib.sha256()
    for block in blocks(length):
        digest.update(block)
    headers = {"Content-Length": str(length), "X-SHA256": digest.hexdigest()}
    return Response(blocks(length), mimetype="application/octet-stream", headers=headers)


def blocks(length, size=65536):
    generator = random.Random(length)
    for start in range(0, length, size):
        yield generator.randbytes(min(size, length - start))


@app.post("/sha256")
def sha256():
    digest = hashlib.sha256()
    length = 0
    while block := request.stream.read(65536):
        digest.update(block)
        length += len(block)
    return jsonify(length=length, sha256=digest.hexdigest())


@app.get("/slow/<float:seconds>")
@app.get("/slow/<int:seconds>")
def slow(seconds):
    time.sleep(seconds)
    return jsonify(slept=seconds)
