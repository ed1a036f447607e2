import type { OptionTable } from './option.js'

/** Signed messages. */
export const securityOptions: OptionTable = {
  securityKey: {
    kind: 'string',
    default: undefined,
    old: ['CELERY_SECURITY_KEY'],
    acts: false,
    secret: true,
    doc: 'File of the private key that signs messages.',
  },
  securityKeyPassword: {
    kind: 'string',
    default: undefined,
    old: ['CELERY_SECURITY_KEY_PASSWORD'],
    acts: false,
    secret: true,
    doc: 'Password of that key.',
  },
  securityCertificate: {
    kind: 'string',
    default: undefined,
    old: ['CELERY_SECURITY_CERTIFICATE'],
    acts: false,
    doc: 'File of the certificate that goes with messages.',
  },
  securityCertStore: {
    kind: 'string',
    default: undefined,
    old: ['CELERY_SECURITY_CERT_STORE'],
    acts: false,
    doc: 'Folder of the certificates that are trusted.',
  },
  securityDigest: {
    kind: 'string',
    default: 'sha256',
    old: ['CELERY_SECURITY_DIGEST'],
    acts: false,
    doc: 'Digest that is signed.',
  },
}
