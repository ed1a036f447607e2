/** Options whose behaviour no test proves yet. One that gets a test goes to option-proofs.ts. */
export const UNPROVEN_OPTIONS: ReadonlySet<string> = new Set([
  'brokerTransportOptions',
  'brokerConnectionRetry',
  'brokerHeartbeat',
  'brokerNativeDelayedDeliveryQueueType',
  'readAhead',
  'blockedLoopLimit',
  'databaseAutoMigrate',
  'sqliteSynchronous',
  'resultPersistent',
  'resultBackendTransportOptions',
  'beatScheduleFilename',
  'beatStore',
  'databaseTableSchemas',
  'databaseCreateTablesAtSetup',
])
