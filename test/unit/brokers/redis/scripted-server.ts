import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { CLAIM } from '../../../../brokers/redis/lua/claim.js'
import { CLAIMS_OF, RESTORE } from '../../../../brokers/redis/lua/lease.js'
import { SETTLE } from '../../../../brokers/redis/lua/settle.js'
import { toScript } from '../../../../brokers/redis/script.js'

type Reply = string | number | null | Error | readonly Reply[]

const SCRIPTS = new Map([
  [toScript(CLAIM).sha, 'claim'],
  [toScript(SETTLE).sha, 'settle'],
  [toScript(CLAIMS_OF).sha, 'claims of'],
  [toScript(RESTORE).sha, 'restore'],
])

/** A Redis server whose scripts are the test's: it sees each, answers it, and says when a list has changed. */
export class ScriptedServer {
  /** The scripts that were run, in order: `claim 2`, `settle 1 2` by the numbers of the tags, `restore 2`; and `ping`. */
  readonly calls: string[] = []
  /** Envelopes that are ready in the queue. */
  readonly ready: string[] = []
  /** Envelopes by tag. */
  readonly unacked: Map<string, string> = new Map()
  /** Happens after a script has run, before its answer is sent; no answer of a connection overtakes another. */
  answers: (call: string) => Promise<void> | void = () => undefined
  readonly #sockets = new Set<Socket>()
  /** Those that hear of changes. */
  readonly #listening = new Set<Socket>()
  readonly #server: Server

  constructor() {
    this.#server = createServer((socket) => this.#serve(socket))
  }

  /** Its URL, once it listens. */
  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `redis://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}/0`
  }

  /** A message comes, and the connection that tracks its list hears of it. */
  send(envelope: string): void {
    this.ready.push(envelope)
    for (const socket of this.#listening) socket.write(written(['message', '__redis__:invalidate', ['jobs']]))
  }

  /** Every connection is lost. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async close(): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    socket
      .on('close', () => {
        this.#sockets.delete(socket)
        this.#listening.delete(socket)
      })
      .on('error', () => undefined)
    let unread = ''
    let answered = Promise.resolve()
    socket.setEncoding('latin1').on('data', (data: string) => {
      unread += data
      for (let read = commandOf(unread); read !== undefined; read = commandOf(unread)) {
        unread = unread.slice(read.length)
        if (read.command[0] === 'subscribe') this.#listening.add(socket)
        const [reply, call] = this.#run(read.command)
        answered = answered.then(async () => {
          if (call !== undefined) await this.answers(call)
          if (!socket.destroyed) socket.write(written(reply))
        })
      }
    })
  }

  #run([command = '', ...args]: readonly string[]): readonly [Reply, call?: string] {
    switch (`${command} ${args[0] ?? ''}`.toLowerCase()) {
      case 'info server':
        return ['redis_version:7.4.0']
      case 'client id':
        return [1]
      case 'client unblock':
        return [new Error('NOPERM no moves')]
      case 'subscribe __redis__:invalidate':
        return [['subscribe', '__redis__:invalidate', 1]]
    }
    if (command.toLowerCase() === 'ping') return this.#called('ping', ['pong', ''])
    if (command.toLowerCase() === 'time') return [['1800000000', '0']]
    if (command.toLowerCase() === 'evalsha') return this.#script(args)
    return [['smembers', 'config'].includes(command.toLowerCase()) ? [] : 'OK']
  }

  #script([sha = '', keys = '', ...rest]: readonly string[]): readonly [Reply, call?: string] {
    const name = SCRIPTS.get(sha)
    const args = rest.slice(Number(keys))
    const tags = args.filter((arg) => this.unacked.has(arg))
    switch (name) {
      case 'claim':
        return this.#claim(args)
      case 'settle': {
        const named = args.filter((arg) => /^lovage\S*\.\d+$/.test(arg))
        const lost = named.flatMap((tag, position) => (tags.includes(tag) ? [] : [position]))
        for (const tag of tags) this.unacked.delete(tag)
        return this.#called(`settle ${named.map(numberOf).join(' ')}`, [0, ...lost])
      }
      case 'claims of':
        return [[...this.unacked].flatMap(([tag, envelope]) => [tag, `[${envelope}, "", "jobs"]`])]
      case 'restore':
        for (const tag of tags) this.unacked.delete(tag)
        return this.#called(`restore ${tags.map(numberOf).join(' ')}`, tags.length)
      default:
        return ['OK']
    }
  }

  #claim([max, prefix = '', first]: readonly string[]): readonly [Reply, call?: string] {
    const found = this.ready.splice(0, Number(max))
    for (const [at, envelope] of found.entries())
      this.unacked.set(prefix + String(Number(first) + at), envelope)
    const nowMs = 1_800_000_000_000
    const reply = [nowMs, String(nowMs + 3_600_000), [], found.flatMap((envelope) => [0, envelope]), []]
    return this.#called(`claim ${String(max)}`, reply)
  }

  #called(call: string, reply: Reply): readonly [Reply, call: string] {
    this.calls.push(call)
    return [reply, call]
  }
}

function numberOf(tag: string): string {
  return tag.slice(tag.lastIndexOf('.') + 1)
}

/** The first command of what was received, and how long it is; `undefined` while it is not whole. */
function commandOf(
  received: string,
): { readonly command: readonly string[]; readonly length: number } | undefined {
  const [head, count] = /^\*(\d+)\r\n/.exec(received) ?? []
  if (head === undefined) return undefined
  const command: string[] = []
  let at = head.length
  while (command.length < Number(count)) {
    const [size, length] = /^\$(\d+)\r\n/.exec(received.slice(at, at + 20)) ?? []
    if (size === undefined || received.length < at + size.length + Number(length) + 2) return undefined
    at += size.length
    command.push(Buffer.from(received.slice(at, at + Number(length)), 'latin1').toString())
    at += Number(length) + 2
  }
  return { command, length: at }
}

function written(reply: Reply): string {
  if (reply === null) return '$-1\r\n'
  if (reply instanceof Error) return `-${reply.message}\r\n`
  if (typeof reply === 'number') return `:${String(reply)}\r\n`
  if (typeof reply === 'string') return `$${String(Buffer.byteLength(reply))}\r\n${reply}\r\n`
  return `*${String(reply.length)}\r\n${reply.map(written).join('')}`
}
