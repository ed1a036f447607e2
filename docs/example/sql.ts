import { Lovage } from 'lovage'

// #region app
const app = new Lovage('shop', {
  broker: 'postgresql://shop@localhost:5432/shop?schema=lovage',
  backend: 'postgresql://shop@localhost:5432/shop?schema=lovage',
})
// #endregion

console.log(app.main) // shop
await app.close()
