import type { OptionTable } from './option.js'

/** Results in MongoDB and in the memory of the process. */
export const storesOptions: OptionTable = {
  cacheBackend: {
    kind: 'string',
    default: undefined,
    url: true,
    old: ['CELERY_CACHE_BACKEND'],
    doc: 'Cache of the bare backend name `cache`.',
  },
  mongodbBackendSettings: {
    kind: 'dict',
    default: undefined,
    old: ['CELERY_MONGODB_BACKEND_SETTINGS'],
    doc: 'Connection of the bare backend name `mongodb` (`host`, `port`, `user`, `password`), and for each MongoDB backend `database`, `taskmeta_collection`, `groupmeta_collection`, and `options` of the driver, which every other name is one of, too.',
  },
}
