import { add, app } from './tasks.js'

async function main(): Promise<void> {
  const result = await add.delay(5, 10)
  console.log(`sent ${result.id}`)
  console.log(await result.get({ timeout: { seconds: 30 } })) // 15

  await app.close()
}

void main()
