"""Celery's worker in a drain: notes when its first and its last task ran, and what processor time lay between."""
import json
import multiprocessing
import os
import time

from celery import Celery

count = int(os.environ["BENCH_COUNT"])
app = Celery("bench", broker=os.environ["BENCH_URL"], backend=None)
app.conf.update(task_ignore_result=True, worker_redirect_stdouts=False)
ran = multiprocessing.Value("i", 0)
began = multiprocessing.Array("d", 2)
tick = os.sysconf("SC_CLK_TCK")


def tree_cpu(pid):
    """Seconds of a process and its children."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
        children = file.read().split()
    return (int(fields[11]) + int(fields[12])) / tick + sum(tree_cpu(child) for child in children)


@app.task(name="bench.noop")
def noop(_value):
    with ran.get_lock():
        ran.value += 1
        seen = ran.value
    if seen == 1:
        began[0], began[1] = time.monotonic(), tree_cpu(os.getppid())
    if seen == count:
        seconds, cpu = time.monotonic() - began[0], tree_cpu(os.getppid()) - began[1]
        print("SAMPLE " + json.dumps({"perSecond": count / seconds, "cpuUs": cpu / count * 1e6}), flush=True)
