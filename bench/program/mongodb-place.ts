import { randomBytes } from 'node:crypto'
import { MongodbServer } from '../../test/support/mongodb-server.js'
import { serviceUrl } from '../../test/support/service-url.js'
import type { Sample } from '../harness/scenario.js'

/** Do `work` with the URL of a database of its own, on the server of the environment or on one of its own. */
export async function withMongodb(work: (url: string) => Promise<Sample>): Promise<Sample> {
  const given = serviceUrl('mongodb')
  if (given !== undefined) return work(databaseAt(given))
  await using server = await MongodbServer.start({ keeps: false })
  return await work(databaseAt(server.url))
}

function databaseAt(server: string): string {
  const url = new URL(server)
  url.pathname = `/bench-${randomBytes(4).toString('hex')}`
  return url.href
}
