"""Prints instants of crontabs and sun events as real Celery computes them, for test/vectors/schedules/celery-5.7.json.

Usage: python crontab_table.py > test/vectors/schedules/celery-5.7.json
"""
import json
from datetime import datetime, timedelta, timezone

from celery import Celery
from celery import __version__ as version
from celery.schedules import crontab
from zoneinfo import ZoneInfo

CRONTABS = [
    {}, {'minute': 0}, {'minute': '*/15'}, {'minute': 0, 'hour': 0}, {'minute': 0, 'hour': '*/3'},
    {'minute': 0, 'hour': '0,3,6,9,12,15,18,21'}, {'day_of_week': 'sunday'},
    {'minute': '*', 'hour': '*', 'day_of_week': 'sun'},
    {'minute': '*/10', 'hour': '3,17,22', 'day_of_week': 'thu,fri'}, {'minute': 0, 'hour': '*/2,*/3'},
    {'minute': 0, 'hour': '*/5'}, {'minute': 0, 'hour': '*/3,8-17'}, {'minute': 0, 'hour': 0, 'day_of_month': '2'},
    {'minute': 0, 'hour': 0, 'day_of_month': '2-30/2'}, {'minute': 0, 'hour': 0, 'day_of_month': '1-7,15-21'},
    {'minute': 0, 'hour': 0, 'day_of_month': '11', 'month_of_year': '5'},
    {'minute': 0, 'hour': 0, 'month_of_year': '*/3'}, {'minute': '0', 'hour': '8', 'day_of_month': '1'},
    {'minute': 30, 'hour': 7, 'day_of_week': 1}, {'minute': '1,13,30-45,50-59/2', 'hour': 4},
    {'minute': 0, 'hour': '22-3'}, {'minute': '55-5/2', 'hour': 12}, {'minute': 0, 'hour': 9, 'day_of_week': 'fri-mon'},
    {'minute': 0, 'hour': 9, 'day_of_week': 'mon-fri', 'day_of_month': '1-7'},
    {'minute': 15, 'hour': 14, 'month_of_year': 'nov-feb', 'day_of_month': '28-31'},
    {'minute': 0, 'hour': 12, 'day_of_month': 29, 'month_of_year': 2},
    {'minute': 0, 'hour': 12, 'day_of_month': 31}, {'minute': 59, 'hour': 23, 'day_of_month': '*/10'},
    {'minute': 0, 'hour': 12, 'day_of_week': 5, 'day_of_month': 13}, {'minute': [0, 20, 40], 'hour': [6, 18]},
    {'minute': '*/7', 'hour': '8-10', 'day_of_week': '1-5/2'}, {'minute': 5, 'month_of_year': 'jan,jul', 'hour': 16},
]
ZONES = ['UTC', 'Europe/London', 'Asia/Tokyo', 'America/New_York', 'Asia/Kathmandu', 'Australia/Sydney']
STARTS = ['2026-01-14T10:07:31', '2026-02-28T23:59:30', '2026-07-31T12:00:00', '2027-12-31T23:30:00']
COUNT = 5


def instants(fields, zone, start):
    app = Celery('table', set_as_current=False)
    app.conf.timezone = zone
    at = datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(zone))
    found = []
    for _ in range(COUNT):
        now = at
        schedule = crontab(app=app, nowfun=lambda: now, **fields)
        at = (now.astimezone(timezone.utc) + schedule.remaining_estimate(now)).astimezone(ZoneInfo(zone))
        if at <= now:
            raise SystemExit(f'{fields} {zone} stands still at {now}')
        found.append(at.astimezone(timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ'))
    return found


def camel(name):
    first, *rest = name.split('_')
    return first + ''.join(word.title() for word in rest)


rows = [
    {'fields': {camel(key): value for key, value in fields.items()}, 'zone': zone, 'after': after.isoformat(),
     'next': instants(fields, zone, start)}
    for fields in CRONTABS
    for zone in ZONES
    for start in STARTS
    for after in [datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(zone))]
]
print('{"celery": %s, "rows": [' % json.dumps(version))
print(',\n'.join(json.dumps(row) for row in rows))
print(']}')
