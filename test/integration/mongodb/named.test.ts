import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { MongoClient } from 'mongodb'
import { node } from '../../support/child.js'
import { NameServer } from '../../support/name-server.js'
import { serviceUrl } from '../../support/service-url.js'
import { randomName } from '../../support/temp.js'

const named = fileURLToPath(new URL('child/named.js', import.meta.url))
const server = serviceUrl('mongodb')
const withServer = server === undefined ? describe.skip : describe

withServer('a URL mongodb+srv://', () => {
  it('is led to its servers and to options by records of the name', async () => {
    const database = randomName('named')
    const port = Number(new URL(server ?? '').port)
    await using names = await NameServer.open({
      srv: { '_mongodb._tcp.shop.lovage.test': [{ name: 'db0.lovage.test', port }] },
      txt: { 'shop.lovage.test': 'authSource=elsewhere' },
    })

    const url = `mongodb+srv://shop.lovage.test/${database}?tls=false&wake=poll`
    await using child = node(named, [url, names.address])
    const exit = await child.exited
    const client = await MongoClient.connect(server ?? '')
    const count = await client.db(database).collection('messages').countDocuments({ queue: 'named' })
    await client.close()

    expect(exit).toMatchObject({ code: 0, stdout: 'depth 1\n' })
    expect(count).toBe(1)
    expect([...names.asked].sort()).toEqual(['_mongodb._tcp.shop.lovage.test', 'shop.lovage.test'])
  })
})
