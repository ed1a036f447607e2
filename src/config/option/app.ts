import type { OptionTable } from './option.js'

/** The application: which content it reads, its modules, its time zone. */
export const appOptions: OptionTable = {
  acceptContent: {
    kind: 'list',
    default: ['json'],
    old: ['CELERY_ACCEPT_CONTENT'],
    doc: 'Content types that are read, by name or MIME type. Anything else is refused before it is decoded and set aside. `pickle` is never accepted, because reading it runs code.',
  },
  resultAcceptContent: {
    kind: 'list',
    default: undefined,
    old: ['RESULT_ACCEPT_CONTENT'],
    sameAs: 'acceptContent',
    doc: 'Content types that are read from the result backend.',
  },
  enableUtc: {
    kind: 'boolean',
    default: true,
    old: ['ENABLE_UTC', 'CELERY_ENABLE_UTC'],
    doc: "Whether times without a zone are UTC. Off, they are in the machine's zone unless `timezone` names one.",
  },
  timezone: {
    kind: 'string',
    default: undefined,
    old: ['CELERY_TIMEZONE'],
    derive: (valueOf) =>
      valueOf('enableUtc') === false ? Intl.DateTimeFormat().resolvedOptions().timeZone : 'UTC',
    defaultText: 'UTC, or the machine’s zone without `enableUtc`',
    doc: 'Time zone of schedules and printed times, as an IANA name such as `Europe/London`.',
  },
  imports: {
    kind: 'list',
    default: [],
    old: ['CELERY_IMPORTS'],
    doc: 'Modules that a worker loads when it starts, in this order, so that their tasks are registered.',
  },
  include: {
    kind: 'list',
    default: [],
    old: ['CELERY_INCLUDE'],
    doc: 'More modules for a worker to load, after those of `imports`.',
  },
}
