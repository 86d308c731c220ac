"""An app that starts at once, and writes down which request it began and which it answered."""

import os
import time

JOURNAL = os.environ["JOURNAL"]


def note(word, number):
    with open(JOURNAL, "a") as journal:
        journal.write(f"{word} {number}\n")


def app(environ, start_response):
    number = environ["QUERY_STRING"]
    if number:
        note("began", number)
        time.sleep(0.002)
        note("answered", number)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(number)))])
    return [number.encode()]
