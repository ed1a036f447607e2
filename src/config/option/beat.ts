import { beatScheduleFromText, readBeatSchedule } from '../value/beat-settings.js'
import type { OptionTable } from './option.js'

/** Periodic tasks: the schedule and the process that sends it. */
export const beatOptions: OptionTable = {
  beatSchedule: {
    kind: 'value',
    default: {},
    types: { input: 'BeatScheduleInput', output: 'BeatSchedule', module: 'beat-settings' },
    read: readBeatSchedule,
    fromText: beatScheduleFromText,
    form: 'object of entries by name',
    old: ['CELERYBEAT_SCHEDULE'],
    doc: 'Periodic tasks by name: `task`, `schedule`, `args`, `kwargs`, `options`, `relative`, `timezone`, `catchUp`, `enabled`.',
  },
  beatScheduleFilename: {
    kind: 'string',
    default: 'celerybeat-schedule',
    old: ['CELERYBEAT_SCHEDULE_FILENAME'],
    doc: 'Where neither the broker nor the backend can hold schedules and `beatStore` names no other store: the SQLite file, with `.sqlite` behind this name, that one beat keeps them in.',
  },
  beatMaxLoopInterval: {
    kind: 'duration',
    default: 0,
    old: ['CELERYBEAT_MAX_LOOP_INTERVAL'],
    doc: 'Longest sleep between two looks at the schedule, up to 2 seconds; 0 leaves it at those. Beat looks every 2 seconds whatever a longer one says, which a warning names.',
  },
  beatCronStartingDeadline: {
    kind: 'duration',
    default: undefined,
    old: ['CELERYBEAT_CRON_STARTING_DEADLINE'],
    doc: 'How long after its time a missed instant of a crontab is still sent; without a value there is no limit.',
  },
  beatStore: {
    kind: 'string',
    default: undefined,
    url: true,
    doc: 'URL of the store that keeps schedules, where it is not to be that of the broker or the backend: `redis://…`, `postgresql://…`, `mongodb://…`, `sqlite://…`.',
  },
}
