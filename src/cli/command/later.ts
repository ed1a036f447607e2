/** Commands of Celery's that later versions bring, and what to do meanwhile. */
export const laterCommands: ReadonlyMap<string, string> = new Map([
  ['inspect', 'remote control comes with a later version'],
  ['control', 'remote control comes with a later version'],
  ['status', 'remote control comes with a later version'],
  ['events', 'task events come with a later version'],
  ['multi', 'start one worker for each process with the service manager of the system'],
])
