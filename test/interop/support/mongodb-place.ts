import { MongoClient } from 'mongodb'
import { randomName, type InteropPlace } from './stage.js'

/**
 * MongoDB as broker and backend, in a database of its own.
 *
 * Kombu makes its collection of broadcasts capped, or gives up; where the server refuses that, one that is not capped has to
 * be there before.
 */
export async function mongodbPlace(server: string): Promise<InteropPlace>
export async function mongodbPlace(server: string | undefined): Promise<InteropPlace | undefined>
export async function mongodbPlace(server: string | undefined): Promise<InteropPlace | undefined> {
  if (server === undefined) return undefined
  const url = new URL(server)
  url.pathname = `/${randomName('interop')}`
  await prepareBroadcasts(url.href)
  return {
    broker: url.href,
    backend: url.href,
    // Celery looks once a second unless told otherwise.
    brokerOptions: { polling_interval: 0.05 },
    backendOptions: {},
    conf: { result_compression: 'gzip' },
  }
}

async function prepareBroadcasts(url: string): Promise<void> {
  const client = new MongoClient(url)
  try {
    const database = client.db()
    await database
      .createCollection('messages.broadcast', { capped: true, size: 100_000 })
      .catch(() => database.createCollection('messages.broadcast'))
  } finally {
    await client.close()
  }
}
