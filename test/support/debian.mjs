/** Debian packages for test servers, installed with CI=true only. */
import { spawnSync } from 'node:child_process'

/** Install packages in one call, without starting what they would start; throws with apt's words when that fails. */
export function installDebian(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n', '--preserve-env=DEBIAN_FRONTEND,RUNLEVEL']
  for (const args of [
    ['apt-get', 'update', '-q'],
    ['apt-get', 'install', '-q', '-y', '--no-install-recommends', ...packages],
  ]) {
    const [file, ...rest] = [...sudo, ...args]
    const done = spawnSync(file, rest, { env, encoding: 'utf8' })
    if (done.status !== 0) throw new Error(`${args.join(' ')} failed:\n${done.stderr}`)
  }
}
