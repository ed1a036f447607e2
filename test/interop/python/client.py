"""A Python client that is told what to do: a line with JSON in, `{id, code}`, a line with JSON out.

The code is the body of a function that sees the app, its tasks, and `call`.
"""
import datetime
import decimal
import functools
import json
import sys
import textwrap
import time
import traceback
import uuid

import celery
import kombu
from celery import chain, chord, group, signature

import errors
import proj
from celery.backends.asynchronous import AsyncBackendMixin
from celery.result import AsyncResult
from proj import app

# Whether the backend tells of results, or has to be asked; twice a second would then be a long wait for each test.
pushes = isinstance(app.backend, AsyncBackendMixin)
if not pushes:
    AsyncResult.get = functools.partialmethod(AsyncResult.get, interval=0.02)


def call(name, *args, **options):
    """Send by name and wait for the result."""
    return send(name, *args, **options).get(timeout=20)


def send(name, *args, **options):
    """Send by name."""
    return app.send_task(name, args=args, **options)


def raised(result, **options):
    """What `get` raises: class, module, arguments."""
    try:
        value = result.get(timeout=20, **options)
    except Exception as error:
        return {"type": type(error).__name__, "module": type(error).__module__, "args": list(error.args)}
    return {"returned": value}


def stored_result(task_id):
    """The bytes of a result as the backend keeps them."""
    if hasattr(app.backend, 'collection'):
        return bytes(app.backend.collection.find_one({'_id': task_id})['result'])
    return app.backend.get(app.backend.get_key_for_task(task_id))


def until(condition, seconds=20):
    """Ask until it holds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the condition never held")
        time.sleep(0.01)
    return True


def delayed():
    """How many messages wait in the exchanges of native delayed delivery."""
    with app.connection_for_read() as connection:
        channel = connection.default_channel
        return sum(channel.queue_declare(f"celery_delayed_{level}", passive=True).message_count for level in range(28))


SCOPE = {
    name: value
    for name, value in globals().items()
    if not name.startswith("__")
} | {name: getattr(proj, name) for name in dir(proj) if not name.startswith("__")}


def run(code):
    scope = dict(SCOPE)
    exec("def body():\n" + textwrap.indent(textwrap.dedent(code), "    "), scope)
    return scope["body"]()


def answer(line):
    asked = json.loads(line)
    try:
        return {"id": asked["id"], "value": run(asked["code"])}
    except BaseException:
        return {"id": asked["id"], "error": traceback.format_exc()}


print("READY " + celery.__version__, flush=True)
for text in sys.stdin:
    reply = answer(text)
    try:
        written = json.dumps(reply)
    except (TypeError, ValueError):
        written = json.dumps({"id": reply["id"], "error": "not JSON: %r" % (reply,)})
    print("OUT " + written, flush=True)
