import { deleteAll, sendAll } from '../batches.js'
import type { Directory } from '../directory.js'
import { againEntry } from '../entries.js'
import { KEPT_PREFIX } from '../queue-name.js'
import { receive } from '../received.js'
import type { SqsSettings } from '../settings.js'

const CLAIM_MS = 30_000

/** Bring messages of long tasks whose worker died back to their queues. Resolves with how many. */
export async function bringHome(directory: Directory, settings: SqsSettings): Promise<number> {
  let count = 0
  for (const name of await directory.names(KEPT_PREFIX)) count += await bringOne(directory, settings, name)
  return count
}

async function bringOne(directory: Directory, settings: SqsSettings, name: string): Promise<number> {
  const ref = await directory.find(name)
  const { ready, claimed, delayed } = await directory.counts(ref)
  if (ready === 0) {
    // One that is just made has a message on its way.
    if (claimed + delayed === 0 && (await directory.ageMs(ref)) > CLAIM_MS * 10) await directory.delete(name)
    return 0
  }
  const { isBase64, ceilingMs, attributeNames } = settings
  const signal = new AbortController().signal
  const wish = { most: 1, waitSeconds: 1, leaseMs: CLAIM_MS, ceilingMs, attributeNames, signal }
  const [copy] = await receive(ref, wish)
  // A first receipt is its own worker's, which has just sent it.
  if (copy === undefined || copy.receiveCount === 1) return 0
  const { marks } = copy.envelope
  if (marks.home === undefined) return 0
  const home = await directory.find(marks.home)
  const next = { ...marks, spent: marks.spent + 1, handouts: marks.handouts + 1, home: undefined }
  const entry = againEntry({ ...copy, ref: home }, { marks: next }, { isBase64, now: directory.now() })
  for (const failure of (await sendAll([entry])).values()) if (failure !== undefined) throw failure
  await deleteAll([{ ref, handle: copy.handle }])
  await directory.delete(name)
  return 1
}
