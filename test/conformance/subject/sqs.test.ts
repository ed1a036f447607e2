import { describeSqs, UNORDERED } from '../../support/sqs-suite.js'

describeSqs('sqs', UNORDERED)
