/** The headers that Celery writes itself. */
const CELERY_HEADERS: ReadonlySet<string> = new Set([
  'lang',
  'task',
  'id',
  'shadow',
  'eta',
  'expires',
  'group',
  'group_index',
  'retries',
  'timelimit',
  'root_id',
  'parent_id',
  'argsrepr',
  'kwargsrepr',
  'origin',
  'ignore_result',
  'replaced_task_nesting',
  'stamped_headers',
  'stamps',
  'compression',
  'redelivered',
])

/** Headers that a worker wrote onto a waiting message: they are about that wait, not about the task. */
const WORKER_PREFIXES = ['lovage-unknown-', 'lovage-dead-']

/** The headers of a message that its caller added, which a retry carries on. */
export function callerHeaders(headers: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => isCallers(name)))
}

function isCallers(name: string): boolean {
  return !CELERY_HEADERS.has(name) && !WORKER_PREFIXES.some((prefix) => name.startsWith(prefix))
}
