/**
 * Before each test file: switch off the async storages of the files before it.
 *
 * Every file imports all modules again, its `AsyncLocalStorage`s included, and Node 20 goes on copying the value of each
 * that was ever used to each new promise. After seventy files a promise takes kilobytes.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

const used = (AsyncLocalStorage.usedByTests ??= watchUse())
for (const storage of used) storage.disable()
used.clear()

function watchUse() {
  const storages = new Set()
  const { run } = AsyncLocalStorage.prototype
  AsyncLocalStorage.prototype.run = function (...args) {
    storages.add(this)
    return run.apply(this, args)
  }
  return storages
}
