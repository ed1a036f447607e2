import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { isRecord } from '../../src/util/record.js'

/** A request to Amazon SQS, as it came through a gate. */
export interface SqsRequest {
  /** As `SendMessageBatch`. */
  readonly action: string
  readonly input: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** What the service says, or is made to say. */
export interface SqsAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/**
 * A proxy that notes every request to a server that speaks the JSON protocol of Amazon SQS, and answers for it where a test
 * says so. `await using` closes it.
 */
export class SqsGate implements AsyncDisposable {
  readonly requests: SqsRequest[] = []
  /** Answers in place of the server; `undefined` lets a request through. */
  instead: (request: SqsRequest) => SqsAnswer | undefined = () => undefined
  /** What the server gets in place of the request's input. */
  rewrite: (request: SqsRequest) => Readonly<Record<string, unknown>> = ({ input }) => input
  /** How long before the present the `Date` header of answers is, in milliseconds. */
  staleMs = 0
  readonly #target: URL
  readonly #server: Server

  private constructor(target: URL) {
    this.#target = target
    this.#server = createServer((incoming, outgoing) => {
      this.#pass(incoming, outgoing).catch((error: unknown) => {
        outgoing.writeHead(502).end(String(error))
      })
    })
  }

  /** Listen on a port of its own in front of the server that a broker URL names. */
  static async open(brokerUrl: string): Promise<SqsGate> {
    const gate = new SqsGate(new URL(brokerUrl.replace(/^sqs:/, 'http:')))
    await new Promise<void>((resolve) => gate.#server.listen(0, '127.0.0.1', resolve))
    return gate
  }

  /** Where it listens, as `http://127.0.0.1:4321`. */
  get endpoint(): string {
    const address = this.#server.address()
    return `http://127.0.0.1:${String(typeof address === 'object' ? address?.port : '')}`
  }

  /** The URL of a broker behind it. */
  get url(): string {
    const { username, password, search } = this.#target
    const keys = username === '' ? '' : `${username}:${password}@`
    return `sqs://${keys}${this.endpoint.slice('http://'.length)}${search}`
  }

  /** The requests of one kind so far. */
  of(action: string): readonly SqsRequest[] {
    return this.requests.filter((one) => one.action === action)
  }

  /** How many there were of each kind since `from`. */
  counts(from = 0): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {}
    for (const { action } of this.requests.slice(from)) counts[action] = (counts[action] ?? 0) + 1
    return counts
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const input: unknown = JSON.parse((await bytesOf(incoming)).toString() || '{}')
    const target = String(incoming.headers['x-amz-target'] ?? '')
    const noted = {
      action: target.slice(target.indexOf('.') + 1),
      input: isRecord(input) ? input : {},
      headers: incoming.headers,
    }
    this.requests.push(noted)
    const answer = this.instead(noted) ?? (await this.#forward(incoming, JSON.stringify(this.rewrite(noted))))
    const date = new Date(Date.now() - this.staleMs).toUTCString()
    outgoing.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0', date })
    outgoing.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body))
  }

  #forward(incoming: IncomingMessage, text: string): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = this.#target
      const headers = { ...incoming.headers, 'content-length': String(Buffer.byteLength(text)) }
      const call = request({ hostname, port, method: 'POST', path: incoming.url, headers }, (response) => {
        bytesOf(response).then(
          (body) => resolve({ status: response.statusCode ?? 0, body: body.toString() }),
          reject,
        )
      })
      // Who gives up here gives up there.
      const hangUp = (): void => {
        call.destroy()
      }
      incoming.socket.once('close', hangUp)
      call.once('close', () => incoming.socket.off('close', hangUp))
      call.once('error', reject).end(text)
    })
  }
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  stream.on('data', (chunk: Uint8Array) => chunks.push(chunk))
  await once(stream, 'end')
  return Buffer.concat(chunks)
}
