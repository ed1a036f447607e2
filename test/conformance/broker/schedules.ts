import assert from 'node:assert/strict'
import { OCCURRENCES_KEPT_MS, type Broker, type ScheduleStore } from '../../../src/broker/contract.js'
import { codeOf, newName, take, textsOf, brokerChecks, type BrokerCheck } from './stage.js'

function partOf(broker: Broker): ScheduleStore {
  assert.ok(broker.schedules, 'a broker that offers `schedules` has the part')
  return broker.schedules
}

const AT_MS = Date.UTC(2026, 0, 1)

/** Entries of beat, occurrences that are sent once, and who leads. */
export const scheduleChecks: readonly BrokerCheck[] = brokerChecks([
  {
    name: 'publishes an occurrence once, whoever claims it and however many at a time',
    needs: 'schedules',
    run: async (stage) => {
      const entry = newName('entry')
      const other = partOf(await stage.open())
      await partOf(stage.broker).saveEntry(entry, { task: 'a' })
      const occurrence = { id: newName('occurrence'), entry, scheduledAtMs: AT_MS }

      const claims = await Promise.all(
        [partOf(stage.broker), other, partOf(stage.broker), other].map((part, index) =>
          part.claimOccurrence(occurrence, [stage.outgoing(String(index))]),
        ),
      )
      const again = await other.claimOccurrence(occurrence, [stage.outgoing('again')])

      assert.deepEqual([claims.filter(Boolean).length, again], [1, false])
      assert.equal(textsOf(await stage.peek()).length, 1)
      assert.equal((await other.loadEntries()).get(entry)?.lastMs, AT_MS)
      await other.removeEntry(entry)
    },
  },
  {
    name: 'takes older occurrences as long as it remembers them, and none of an unknown entry',
    needs: 'schedules',
    run: async (stage) => {
      const part = partOf(stage.broker)
      const entry = newName('entry')
      await part.saveEntry(entry, {})
      const claim = (scheduledAtMs: number, id = newName('occurrence'), of = entry): Promise<boolean> =>
        part.claimOccurrence({ id, entry: of, scheduledAtMs }, [
          stage.outgoing(String(scheduledAtMs - AT_MS)),
        ])

      assert.equal(await claim(AT_MS), true)
      assert.equal(await claim(AT_MS - 1_000, 'older-one'), true)
      assert.equal(await claim(AT_MS - 1_000, 'older-one'), false)
      assert.equal(await claim(AT_MS - OCCURRENCES_KEPT_MS - 1), false)
      assert.equal(await claim(AT_MS, newName('occurrence'), newName('missing')), false)

      assert.deepEqual(textsOf(await stage.peek()).sort(), ['-1000', '0'])
      assert.equal((await part.loadEntries()).get(entry)?.lastMs, AT_MS)
      await part.removeEntry(entry)
    },
  },
  {
    name: 'keeps nothing of an occurrence whose message reaches no queue',
    needs: 'schedules',
    run: async (stage) => {
      const part = partOf(stage.broker)
      const entry = newName('entry')
      await part.saveEntry(entry, {})
      const occurrence = { id: newName('occurrence'), entry, scheduledAtMs: AT_MS }

      const refused = part.claimOccurrence(occurrence, [stage.outgoing('ghost', {}, newName('missing'))])

      assert.equal(await codeOf(refused), 'LOVAGE_PUBLISH')
      assert.equal(await part.claimOccurrence(occurrence, [stage.outgoing('real')]), true)
      assert.deepEqual(textsOf(await take(await stage.consume(), 1)), ['real'])
      await part.removeEntry(entry)
    },
  },
  {
    name: 'has one leader at a time, who may resign, and another once its lease is over',
    needs: 'schedules',
    run: async (stage) => {
      const [one, two] = [partOf(stage.broker), partOf(await stage.open())]
      const [ann, bob] = [newName('ann'), newName('bob')]

      assert.equal((await one.lead(ann, 60_000)).leads, true)
      assert.equal((await two.lead(bob, 60_000)).leads, false)
      assert.equal((await one.lead(ann, 60_000)).leads, true)
      await two.resign(bob)
      assert.equal((await two.lead(bob, 60_000)).leads, false)
      await one.resign(ann)
      assert.equal((await two.lead(bob, 1)).leads, true)
      const early = (await one.lead(newName('carl'), 0)).nowMs
      await new Promise((resolve) => setTimeout(resolve, 30))
      const late = await one.lead(ann, 1)

      assert.equal(late.leads, true)
      assert.ok(late.nowMs > early && Math.abs(late.nowMs - Date.now()) < 60_000)
      await one.resign(ann)
    },
  },
  {
    name: 'leads by the clock that it tells, whatever this process takes for the present',
    needs: ['schedules', 'clock'],
    run: async ({ broker }) => {
      const { now } = Date
      Date.now = () => now() + 900_000
      try {
        const toldMs = (await broker.serverTime?.()) ?? 0
        const led = await broker.schedules?.lead(newName('dan'), 0)

        assert.ok(led !== undefined)
        // A store tells its clock to half a round trip; the clock of this process is off by fifteen times as much.
        assert.ok(Math.abs(led.nowMs - toldMs) < 60_000)
      } finally {
        Date.now = now
      }
    },
  },
  {
    name: 'saves an entry only as its reader knew it, so that no change is lost',
    needs: 'schedules',
    run: async (stage) => {
      const [one, two] = [partOf(stage.broker), partOf(await stage.open())]
      const entry = newName('entry')

      const adds = await Promise.all([one.saveEntry(entry, { by: 1 }), two.saveEntry(entry, { by: 2 })])
      assert.deepEqual([...adds].sort(), [false, true])
      const read = await one.loadEntry(entry)
      assert.deepEqual(read?.data, { by: adds[0] ? 1 : 2 })
      const changes = await Promise.all([
        one.saveEntry(entry, { by: 3 }, read?.version),
        two.saveEntry(entry, { by: 4 }, read?.version),
      ])
      assert.deepEqual([...changes].sort(), [false, true])
      const changed = await two.loadEntry(entry)
      assert.deepEqual(changed?.data, { by: changes[0] ? 3 : 4 })

      await one.removeEntry(entry)
      assert.equal(await two.saveEntry(entry, { by: 5 }, changed?.version), false)
      assert.equal(await two.loadEntry(entry), undefined)
    },
  },
  {
    name: 'keeps entries as they were saved, and tells that they have changed',
    needs: 'schedules',
    run: async (stage) => {
      const part = partOf(stage.broker)
      const entry = newName('entry')
      const before = (await part.lead('nobody', 0)).revision
      const data = { task: 'a', args: [1, 'é', null, { b: [] }], schedule: { type: 'interval', seconds: 5 } }

      await part.saveEntry(entry, { task: 'old' })
      await part.saveEntry(entry, data, (await part.loadEntry(entry))?.version)
      const saved = await part.lead('nobody', 0)

      assert.notEqual(saved.revision, before)
      const stored = await part.loadEntry(entry)
      assert.deepEqual([stored?.data, stored?.lastMs], [data, undefined])
      assert.deepEqual((await part.loadEntries()).get(entry), stored)
      await part.removeEntry(entry)
      assert.equal((await part.loadEntries()).has(entry), false)
      assert.equal(await part.loadEntry(entry), undefined)
      assert.notEqual((await part.lead('nobody', 0)).revision, saved.revision)
    },
  },
])
