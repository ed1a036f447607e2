"""Celery with the task that the benchmarks send; started by bench/program/celery-worker.ts."""

import os

from celery import Celery

app = Celery("bench", broker=os.environ["BENCH_URL"], backend=os.environ["BENCH_URL"])


@app.task(name="bench.noop", ignore_result=True)
def noop(value):
    pass
