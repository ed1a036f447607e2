import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { HalfOpenProxy } from '../../support/half-open-proxy.js'

describe('a half-open proxy', () => {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    socket.on('error', () => undefined).on('data', (chunk) => socket.write(`echo ${String(chunk)}`))
  })
  let proxy: HalfOpenProxy

  beforeEach(async () => {
    if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening')
    proxy = await HalfOpenProxy.open((server.address() as AddressInfo).port)
  })

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    await proxy[Symbol.asyncDispose]()
    await new Promise((resolve) => server.close(resolve))
  })

  async function client(): Promise<Socket> {
    const socket = connect(proxy.port, '127.0.0.1')
    sockets.push(socket)
    await once(socket, 'connect')
    return socket
  }

  it('passes bytes on in both directions', async () => {
    const socket = await client()

    socket.write('one')

    expect(String((await once(socket, 'data'))[0])).toBe('echo one')
  })

  it('holds back what is sent while it is silent, and passes it on afterwards', async () => {
    const socket = await client()
    socket.write('one')
    await once(socket, 'data')
    const heard: string[] = []
    socket.on('data', (chunk) => heard.push(String(chunk)))

    proxy.fallSilent()
    await new Promise<void>((resolve) => socket.write('two', () => resolve()))
    const heardInSilence = [...heard]
    proxy.speak()
    await once(socket, 'data')

    expect(heardInSilence).toEqual([])
    expect(heard).toEqual(['echo two'])
  })

  it('cuts connections at once', async () => {
    const socket = await client()
    socket.write('one')
    await once(socket, 'data')
    const closed = new Promise<boolean>((resolve) => {
      socket.on('error', () => undefined).once('close', () => resolve(true))
    })

    proxy.cut()

    expect(await closed).toBe(true)
    expect(proxy.connections).toBe(0)
  })
})
