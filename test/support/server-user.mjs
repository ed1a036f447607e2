/** Servers that refuse to run as root get a user of their own. */
import { chown, readFile } from 'node:fs/promises'

/**
 * Who runs a server: the user of this process, or when that is root, the first of `name` and `nobody` that exists.
 * The folder is handed over to it.
 *
 * @returns {Promise<{ uid?: number, gid?: number }>} for `spawn`.
 */
export async function serverUser(name, folder) {
  if (process.getuid?.() !== 0) return {}
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'))
  const [, , uid, gid] = users.find(([user]) => user === name) ?? users.find(([user]) => user === 'nobody')
  const ids = { uid: Number(uid), gid: Number(gid) }
  await chown(folder, ids.uid, ids.gid)
  return ids
}
