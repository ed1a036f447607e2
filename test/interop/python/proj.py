"""The Python side of the interop tests: an app and its tasks. The environment says where it lives."""
import json
import os
import signal
import time

from celery import Celery
from celery.exceptions import Ignore, Reject, SoftTimeLimitExceeded

import errors

settings = json.loads(os.environ["LOVAGE_INTEROP"])

app = Celery("proj")
app.conf.update(
    broker_url=settings["broker"],
    result_backend=settings["backend"],
    task_default_queue=settings["pythonQueue"],
    task_routes={"node.*": {"queue": settings["nodeQueue"]}},
    accept_content=["json", "yaml", "msgpack"],
    result_accept_content=["json"],
    broker_connection_retry_on_startup=True,
    broker_transport_options=settings["brokerOptions"],
    result_backend_transport_options=settings["backendOptions"],
    worker_hijack_root_logger=False,
)
app.conf.update(settings.get("conf", {}))
if settings["broker"].startswith("sqla+"):
    # No option says how often kombu looks: it would reach SQLAlchemy, which refuses what it does not know.
    from celery.backends.database import DatabaseBackend
    from kombu.transport.sqlalchemy import Transport

    Transport.polling_interval = 0.05
    DatabaseBackend.subpolling_interval = 0.05

if "quorum_queue" in app.conf:
    from kombu import Exchange, Queue

    name = app.conf["quorum_queue"]
    arguments = {"x-queue-type": "quorum"}
    app.conf.task_queues = [Queue(name, Exchange(name, "topic"), f"{name}.#", queue_arguments=arguments)]
    app.conf.task_default_queue = name


class LeafMissing(Exception):
    """Known to this side alone."""


def wait_for(path):
    """Wait until a file exists."""
    end = time.monotonic() + 30
    while not os.path.exists(path):
        if time.monotonic() > end:
            raise TimeoutError(path)
        time.sleep(0.01)


def write(path, text):
    """Append a line to a file."""
    with open(path, "a", encoding="utf-8") as file:
        file.write(text + "\n")


def shown(value):
    """A value as its type and its repr."""
    return [type(value).__name__, repr(value)]


def request_of(request):
    """What a request says that must survive the way here."""
    names = (
        "id root_id parent_id group group_index retries reply_to correlation_id shadow stamps stamped_headers "
        "eta expires timelimit ignore_result headers callbacks errbacks chain"
    ).split()
    seen = {name: getattr(request, name, None) for name in names}
    # Celery 5.2 has a caller's headers as attributes alone.
    own = {name: getattr(request, name) for name in ("tenant", "deep") if hasattr(request, name)}
    priority = (request.delivery_info or {}).get("priority")
    return {**seen, "priority": priority, "headers": {**own, **(seen["headers"] or {})}}


@app.task(name="py.add")
def add(x, y):
    return x + y


@app.task(name="py.echo")
def echo(value):
    return value


@app.task(name="py.describe")
def describe(*args, **kwargs):
    return [[shown(value) for value in args], {name: shown(value) for name, value in kwargs.items()}]


@app.task(name="py.size")
def size(text):
    return len(text)


@app.task(name="py.note")
def note(value, path):
    write(path, json.dumps(value))
    return value


@app.task(name="py.request", bind=True)
def request(self, *args):
    return request_of(self.request)


@app.task(name="py.stamp_note", bind=True)
def stamp_note(self, value, path):
    write(path, json.dumps(request_of(self.request)))


@app.task(name="py.fail")
def fail(text):
    raise ValueError(text)


@app.task(name="py.fail_own")
def fail_own(text):
    raise LeafMissing(text, {1, 2})


@app.task(name="py.reject")
def reject():
    raise Reject("damaged", requeue=False)


@app.task(name="py.ignore")
def ignore(path):
    write(path, "ignored")
    raise Ignore()


@app.task(name="py.replace", bind=True)
def replace(self, name, *args):
    raise self.replace(self.app.signature(name, args))


@app.task(name="py.wait")
def wait(seconds, path):
    try:
        time.sleep(seconds)
    except SoftTimeLimitExceeded:
        write(path, "soft")
        raise


@app.task(name="py.failed_id")
def failed_id(task_id, *, path):
    """An errback of the form that takes the id alone."""
    write(path, json.dumps(task_id))


@app.task(name="py.failed")
def failed(request, exc, traceback, path):
    """An errback of the form that Celery calls in the worker that failed."""
    write(path, json.dumps([request.id, type(exc).__name__, str(exc), "Traceback" in str(traceback)]))


@app.task(name="py.fail_custom")
def fail_custom(missing, what):
    raise errors.NotEnough(missing, what)


@app.task(name="py.retry", bind=True, max_retries=3)
def retry(self, times):
    if self.request.retries < times:
        raise self.retry(countdown=0.1)
    return self.request.retries


@app.task(name="py.retry_later", bind=True)
def retry_later(self, text):
    if self.request.retries == 0:
        raise self.retry(exc=ValueError(text), countdown=1)
    return "ready"


@app.task(name="py.give_up", bind=True, max_retries=1)
def give_up(self, text):
    raise self.retry(exc=ValueError(text), countdown=0)


@app.task(name="py.hold", bind=True, track_started=True)
def hold(self, started, gate):
    write(started, "started")
    wait_for(gate + ".1")
    self.update_state(state="PROGRESS", meta={"done": 1, "of": 2})
    write(started, "progress")
    wait_for(gate + ".2")
    return "done"


@app.task(name="py.quiet", ignore_result=True)
def quiet(value, path):
    write(path, json.dumps(value))
    return value


@app.task(name="py.when")
def when():
    return time.time()


@app.task(name="shared.long", acks_late=True)
def long(seconds, path):
    write(path, "py")
    time.sleep(seconds)
    return "rested"


@app.task(name="shared.work", acks_late=True)
def work(number, path):
    write(path, "%d py" % number)
    die_if_chosen(path)
    time.sleep(0.002)
    return number


def die_if_chosen(path):
    """The first worker of this language that finds the file dies as by `kill -9`, in the middle of its task."""
    try:
        os.unlink(path + ".kill-py")
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
