import { Redis } from 'ioredis'
import type { Command } from 'ioredis'

/** The name of connections that were given none. */
export const DEFAULT_NAME = 'lovage'

/**
 * A connection that is not used unless the server took its account, its database and the name it was given by hand.
 *
 * Its base class goes on without them: in database 0, and as the default user.
 */
export class CheckedRedis extends Redis {
  #refusal: Error | undefined

  /** What the server refused of the last set-up; errors that follow from it say less. */
  get refusal(): Error | undefined {
    return this.#refusal
  }

  override sendCommand(...[command, stream]: Parameters<Redis['sendCommand']>): unknown {
    if (this.status === 'connect' && this.#isRequired(command)) {
      this.#refusal = undefined
      const reject = command.reject.bind(command)
      command.reject = (error) => {
        reject(error)
        // What was sent after it is rejected with it, the question whether the server is ready too.
        if (error.name !== 'ReplyError') return
        this.#refusal = error
        this.recoverFromFatalError(error, error, {})
      }
    }
    return super.sendCommand(command, stream)
  }

  #isRequired({ name, args }: Command): boolean {
    if (name === 'auth' || name === 'select') return true
    const isNaming = name === 'client' && String(args[0]).toLowerCase() === 'setname'
    return isNaming && this.options.connectionName !== DEFAULT_NAME
  }
}
