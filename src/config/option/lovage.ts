import type { OptionTable } from './option.js'

/** Options that Celery does not have. */
export const lovageOptions: OptionTable = {
  lease: {
    kind: 'duration',
    default: 30,
    min: { seconds: 1 },
    doc: 'How long a claimed message stays hidden from other workers unless its claim is renewed. The worker renews while a task runs, so this bounds the delay after a crash, not the length of a task.',
  },
  maxDeliveries: {
    kind: 'integer',
    default: 5,
    min: 1,
    infinite: true,
    doc: 'Deliveries of one message, deaths of workers included and unspent hand-backs left out, before it is set aside as a dead letter. The first death of a worker is held against none of its messages, so 1 lets them run once more, one at a time.',
  },
  unknownTaskTimeout: {
    kind: 'duration',
    default: { minutes: 10 },
    infinite: true,
    doc: 'How long a message whose task no worker knows goes back to its queue before it becomes a dead letter and its result a failure.',
  },
  deadLetterExpires: {
    kind: 'duration',
    default: { days: 7 },
    infinite: true,
    min: { seconds: 1 },
    doc: 'How long a dead letter is kept in `<queue>.dead`; SQS keeps none longer than the retention of its queue.',
  },
  deadLetterMaxLength: {
    kind: 'integer',
    default: 10_000,
    min: 0,
    infinite: true,
    doc: 'Most dead letters that are kept for one queue; the oldest are dropped first.',
  },
  publishTimeout: {
    kind: 'duration',
    default: 5,
    min: { milliseconds: 1 },
    doc: 'How long the broker may take to confirm a message before sending fails.',
  },
  readAhead: {
    kind: 'duration',
    default: { milliseconds: 50 },
    doc: 'How much work, in time at the measured speed, is claimed ahead of free slots; 0 claims into free slots alone.',
  },
  shutdownTimeout: {
    kind: 'duration',
    default: 25,
    infinite: true,
    doc: 'How long running tasks may go on after the first signal before they are aborted and handed back without spending a delivery. The default leaves 5 of the 30 seconds that Kubernetes grants.',
  },
  blockedLoopLimit: {
    kind: 'duration',
    default: { minutes: 30 },
    min: { seconds: 5 },
    infinite: true,
    doc: 'How long tasks may keep the event loop of a worker from turning. Then its process is ended (SIGKILL) and the tasks are named: nothing else can end them, signals and time limits included. A task with a time limit that blocks the loop ends it five seconds after that limit.',
  },
  delay: {
    kind: 'string',
    default: 'store',
    choices: ['store', 'eta'],
    doc: 'How a message with a countdown or an eta is sent: `store` keeps it in the broker until it is due, `eta` sends it at once for the worker to hold, as Celery does.',
  },
  strictTyping: {
    kind: 'boolean',
    default: true,
    doc: 'Whether the number of arguments is checked at the call, unless a task says otherwise.',
  },
  databaseAutoMigrate: {
    kind: 'boolean',
    default: undefined,
    sameAs: 'databaseCreateTablesAtSetup',
    doc: 'Whether tables of a SQL URL are made and extended at the first connect. Off, an error names `lovage migrate`. Never on an object that the application hands over.',
  },
  sqliteSynchronous: {
    kind: 'string',
    default: 'full',
    choices: ['off', 'normal', 'full', 'extra'],
    doc: 'How SQLite syncs to disk. `full` survives a loss of power; `normal` is faster and may lose the last commits then.',
  },
  maxMessageBytes: {
    kind: 'integer',
    default: 268435456,
    min: 1024,
    infinite: true,
    unit: 'bytes',
    doc: 'Largest body that is read, measured after decompression, so that a small message cannot fill the memory.',
  },
}
