import { describeKilledWorkers } from './suite.js'

describeKilledWorkers('RabbitMQ')
