import { describeSqs } from '../../support/sqs-suite.js'

describeSqs('fauxqs', {})
