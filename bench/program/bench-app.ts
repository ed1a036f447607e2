import { Lovage } from '../../src/index.js'
import type { CallableTask } from '../../src/index.js'
import { redisStore } from './redis-place.js'

/** An app with one task that does nothing but count its runs. */
export interface BenchApp {
  readonly app: Lovage
  readonly noop: CallableTask<[value: number], void>
  /** Resolves when the task has run this many times in all. */
  ran(count: number): Promise<void>
}

/** Make an app on a store; both halves of it are on the same one. */
export function benchApp(
  store: { readonly broker: string; readonly backend: string },
  ignoreResult = true,
): BenchApp {
  const app = new Lovage('bench', { ...store, taskIgnoreResult: ignoreResult })
  let wanted = Number.POSITIVE_INFINITY
  let seen = 0
  let reached: () => void = () => undefined
  const noop = app.task('bench.noop', (_value: number): void => {
    seen += 1
    if (seen === wanted) reached()
  })
  return {
    app,
    noop,
    ran: (count) => {
      return new Promise((resolve) => {
        wanted = count
        reached = resolve
        if (seen >= count) resolve()
      })
    },
  }
}

/** A SQLite file as broker and backend. */
export function sqliteStore(path: string): { readonly broker: string; readonly backend: string } {
  return { broker: `sqlite:///${path}`, backend: `db+sqlite:///${path}` }
}

/** A store by its URL, as broker and backend, or a SQLite file by its path. */
export function storeAt(place: string): { readonly broker: string; readonly backend: string } {
  if (place.startsWith('redis://')) return redisStore(place)
  return place.includes('://') ? { broker: place, backend: place } : sqliteStore(place)
}

/** Send `count` calls, this many in flight. */
export async function send({ noop }: BenchApp, count: number, inFlight = 100): Promise<void> {
  let sent = 0
  const sendOn = async (): Promise<void> => {
    while (sent < count) {
      sent += 1
      await noop.delay(sent)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, sendOn))
}
