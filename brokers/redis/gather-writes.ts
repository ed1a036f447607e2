import type { Redis } from 'ioredis'

const gathering = new WeakSet<object>()

/**
 * Hold back what is written to a connection until the end of this turn of the event loop, so that it leaves in one write.
 *
 * A write costs several times what a command costs, and holds up what the program would do after it.
 */
export function gatherWrites(redis: Redis): void {
  const { stream, status } = redis
  if (status !== 'ready' || gathering.has(stream)) return
  gathering.add(stream)
  stream.cork()
  setImmediate(() => {
    release(stream)
  })
}

/** Write now what was held back: nothing is to come that is worth to be waited for. */
export function writeGathered({ stream, status }: Redis): void {
  if (status === 'ready') release(stream)
}

function release(stream: Redis['stream']): void {
  if (gathering.delete(stream)) stream.uncork()
}
