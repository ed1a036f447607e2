import { writeFile } from 'node:fs/promises'
import { run } from './child.js'
import type { TempFolder } from './temp.js'

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** Files of a made-up authority, and of what it signed: a server at 127.0.0.1 and a client called `guest`. */
export interface Certificates {
  readonly ca: string
  readonly server: { readonly cert: string; readonly key: string }
  readonly client: { readonly cert: string; readonly key: string }
}

/** Make them in a folder, by `openssl`. */
export async function makeCertificates(folder: TempFolder): Promise<Certificates> {
  const ca = folder.file('ca.pem')
  const caKey = folder.file('ca.key')
  const authority = ['-subj', '/CN=authority', '-days', '2', '-keyout', caKey, '-out', ca]
  await openssl('req', '-x509', ...CURVE, ...authority)
  const sign = async (
    name: string,
    subject: string,
    extension: string,
  ): Promise<{ readonly cert: string; readonly key: string }> => {
    const [cert, key, request, config] = ['pem', 'key', 'csr', 'ext'].map((end) =>
      folder.file(`${name}.${end}`),
    )
    if (cert === undefined || key === undefined || request === undefined || config === undefined)
      throw new RangeError('four files')
    await writeFile(config, extension)
    await openssl('req', ...CURVE, '-subj', subject, '-keyout', key, '-out', request)
    const by = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-days', '2', '-extfile', config]
    await openssl('x509', '-req', '-in', request, ...by, '-out', cert)
    return { cert, key }
  }
  const server = await sign('server', '/CN=localhost', 'subjectAltName=IP:127.0.0.1\n')
  const client = await sign('client', '/CN=guest', 'extendedKeyUsage=clientAuth\n')
  return { ca, server, client }
}

async function openssl(...args: readonly string[]): Promise<void> {
  const made = await run('openssl', [...args])
  if (made.code !== 0) throw new RangeError(`openssl ${args.join(' ')} failed:\n${made.stderr}`)
}
