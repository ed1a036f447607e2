/**
 * Every error code that Lovage sets on {@link LovageError.code}, with the sentence the reference page shows.
 *
 * Codes are API: a code, once released, keeps its meaning.
 */
export const ERROR_CODES = {
  LOVAGE_CONFIG: 'An option or setting is unknown, missing, of the wrong type, or out of range.',
  LOVAGE_DRIVER_MISSING: 'The optional package that a URL scheme needs is not installed.',
  LOVAGE_BROKER: 'The broker refused an operation.',
  LOVAGE_BROKER_CONNECTION: 'The broker cannot be reached, or the connection was lost.',
  LOVAGE_STORE_DAMAGED: 'A file that queues or schedules are in is damaged, or is no database.',
  LOVAGE_PUBLISH: 'The broker did not confirm every message of a publish within its deadline.',
  LOVAGE_MESSAGE_TOO_LARGE: 'A message is larger than its queue takes.',
  LOVAGE_QUEUE_NOT_FOUND: 'A queue was named that is not declared, and creating missing queues is off.',
  LOVAGE_UNSUPPORTED: 'The broker or backend lacks the capability that was asked for.',
  LOVAGE_LEASE_LOST: 'The claim on a message ran out and the message belongs to another worker.',
  LOVAGE_BACKEND: 'The result backend refused an operation.',
  LOVAGE_BACKEND_CONNECTION: 'The result backend cannot be reached, or the connection was lost.',
  LOVAGE_TIMEOUT: 'The wait for a result took longer than the given timeout.',
  LOVAGE_MESSAGE: 'A message does not have the form that the protocol asks for.',
  LOVAGE_DECODE: 'The bytes of a message or result cannot be decoded.',
  LOVAGE_ENCODE: 'A value cannot be written in the chosen serializer.',
  LOVAGE_CONTENT_DISALLOWED: 'The content type of a message is not in `acceptContent`, or is never accepted.',
  LOVAGE_TASK: 'A task could not be defined, called or run.',
  LOVAGE_TASK_NOT_REGISTERED: 'No task of that name is registered in this process.',
  LOVAGE_TASK_ARGUMENTS: 'The arguments do not fit the task.',
  LOVAGE_TASK_FAILED: 'The task raised an error in its worker.',
  LOVAGE_TASK_REVOKED: 'The task was revoked or expired before it ended.',
  LOVAGE_TIME_LIMIT: 'The task ran longer than its time limit.',
  LOVAGE_WORKER_SHUTDOWN: 'The worker shuts down and the task goes back to its queue.',
  LOVAGE_MAX_RETRIES: 'The task used up its retries.',
  LOVAGE_CHORD: 'A task of a chord header failed.',
} as const

/** One of the documented codes. */
export type ErrorCode = keyof typeof ERROR_CODES
