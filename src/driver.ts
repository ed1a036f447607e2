/**
 * `lovage/driver`: what the author of a broker or a result backend needs, and nothing of the core.
 *
 * The tests a driver has to pass are in `lovage/conformance`.
 */
export type {
  ChordStore,
  EncodedValue,
  ExtendedRecord,
  GroupStore,
  KeepOptions,
  OneStepResults,
  RecordWatch,
  ResultBackend,
  ResultCodec,
  TaskRecord,
} from './backend/contract.js'
export { guardBackend } from './backend/guard.js'
export type { BackendGuardOptions } from './backend/guard.js'
export type { BackendDriver, BackendFactory, BackendModule, BackendOptions } from './backend/registry.js'
export { ConnectionUrl, parseConnectionUrl } from './broker/connection-url.js'
export type { ConnectionParts, HostPort } from './broker/connection-url.js'
export type {
  Binding,
  Broker,
  BrokerCapabilities,
  ConsumeOptions,
  Consumer,
  Delivery,
  ExchangeType,
  Fanout,
  FanoutListener,
  FetchOptions,
  HandBack,
  LeaseRenewal,
  Leases,
  Occurrence,
  Outgoing,
  QueueSpec,
  Route,
  Leadership,
  ScheduleStore,
  StoredEntry,
  Settlement,
  Subscription,
} from './broker/contract.js'
export { booleanOption, driverOptions } from './broker/driver-options.js'
export type { DriverEntry } from './broker/driver-table.js'
export { guardBroker } from './broker/guard.js'
export type { GuardOptions } from './broker/guard.js'
export type { BrokerDriver, BrokerFactory, BrokerModule, BrokerOptions } from './broker/registry.js'
export { ChangeSignal, LeasedConsumer } from './broker/leased-consumer.js'
export type {
  Changes,
  ClaimAttempt,
  ClaimRound,
  LeasedClaims,
  LeasedConsumerOptions,
} from './broker/leased-consumer.js'
export { matchBindings, matchesBinding, matchesHeaders, matchesTopic } from './broker/routing.js'
export type { BoundQueue } from './broker/routing.js'
export { storeIdOf } from './broker/store-id.js'
export {
  BackendConnectionError,
  BackendError,
  BrokerConnectionError,
  BrokerError,
  ConfigError,
  DecodeError,
  DriverMissingError,
  LovageError,
  PublishError,
  QueueNotFoundError,
  StoreDamagedError,
  UnsupportedError,
} from './errors/errors.js'
export type { ErrorOptionsWithCause } from './errors/errors.js'
export type { Message, MessageProperties } from './message/message.js'
export { backoffMs } from './util/backoff.js'
export type { BackoffOptions } from './util/backoff.js'
export { systemClock } from './util/clock.js'
export type { Clock, TimerOptions } from './util/clock.js'
