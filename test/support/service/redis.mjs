import { answers, findProgram, freePort, startProcess } from '../server-process.mjs'

/** Redis, which keeps nothing on disk. */
export const redis = {
  name: 'redis',
  variable: 'LOVAGE_TEST_REDIS_URL',
  debian: ['redis-server'],
  detect: async () =>
    findProgram('redis-server') === undefined ? 'redis-server is not installed' : undefined,
  start: async (folder) => {
    const port = await freePort()
    const { stop } = await startProcess(
      findProgram('redis-server'),
      ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'],
      { folder, ready: () => answers(port) },
    )
    return { url: `redis://127.0.0.1:${port}/0`, stop }
  },
}
