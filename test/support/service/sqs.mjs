import { join } from 'node:path'
import { mavenJars } from '../maven.mjs'
import { answers, findProgram, freePort, startProcess } from '../server-process.mjs'

const jars = mavenJars('sqs')

/** ElasticMQ, which speaks the protocol of Amazon SQS. */
export const sqs = {
  name: 'sqs',
  variable: 'LOVAGE_TEST_SQS_URL',
  debian: ['default-jdk-headless', 'maven'],
  detect: async () => {
    if (findProgram('java') === undefined) return 'java is not installed'
    return jars.isInstalled()
      ? undefined
      : 'no jars in .test-env/sqs; `node test/support/service/sqs.mjs` brings them'
  },
  install: async () => jars.install(),
  start: (place) => startElasticMq(place),
}

/**
 * Start a private server; with `keeps` its queues are found again by the next that is started in `place`.
 *
 * @param {{ port?: number, keeps?: boolean }} [options]
 */
export async function startElasticMq(place, { port, keeps = false } = {}) {
  const own = port ?? (await freePort())
  const { stop, pid } = await startProcess(
    findProgram('java'),
    [
      '-Xmx512m',
      `-Dnode-address.host=127.0.0.1`,
      `-Dnode-address.port=${own}`,
      `-Drest-sqs.bind-port=${own}`,
      '-Drest-sqs.bind-hostname=127.0.0.1',
      '-Drest-stats.enabled=false',
      ...(keeps
        ? [
            '-Dmessages-storage.enabled=true',
            `-Dmessages-storage.uri=jdbc:h2:${join(place, 'queues')};WRITE_DELAY=0`,
          ]
        : []),
      '-cp',
      jars.classPath,
      'org.elasticmq.server.Main',
    ],
    { folder: place, ready: () => answers(own), timeoutMs: 90_000 },
  )
  return { url: `sqs://x:x@127.0.0.1:${own}?region=elasticmq`, stop, pid }
}

if (process.argv[1] === import.meta.filename) jars.install()
