import { Lovage } from 'lovage'

// #region app
const app = new Lovage('shop', {
  broker: 'sqs://?region=eu-central-1',
  brokerTransportOptions: { queue_name_prefix: 'shop-' },
  backend: 'redis://localhost:6379/1',
})
// #endregion

console.log(app.main) // shop
await app.close()
