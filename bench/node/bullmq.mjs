// BullMQ beside us: node bullmq.mjs REDIS_SOCKET JOBS URL. The last line of its output is JSON.
import { performance } from 'node:perf_hooks'
import { Queue, Worker } from 'bullmq'

const [socket, number, url] = [process.argv[2], Number(process.argv[3]), process.argv[4]]
const connection = { path: socket, maxRetriesPerRequest: null }
const percentile = (values, share) => values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))]

async function rate(name, jobs, concurrency, handler) {
  const queue = new Queue(name, { connection })
  for (let i = 0; i < jobs; i += 500) {
    await queue.addBulk(Array.from({ length: Math.min(500, jobs - i) }, () => ({ name: 'job', data: {}, opts: { removeOnComplete: 1000 } })))
  }
  const worker = new Worker(name, handler, { connection, concurrency, autorun: false })
  let done = 0
  const all = new Promise((resolve) => worker.on('completed', () => ++done === jobs && resolve()))
  const began = performance.now()
  worker.run()
  await all
  const seconds = (performance.now() - began) / 1000
  await worker.close()
  await queue.close()
  return jobs / seconds
}

async function latency(jobs) {
  const queue = new Queue('latency', { connection })
  let started
  const worker = new Worker('latency', async () => started(performance.now()), { connection, concurrency: 5 })
  await worker.waitUntilReady()
  const pickups = [], enqueues = []
  for (let i = 0; i < jobs; i++) {
    const picked = new Promise((resolve) => (started = resolve))
    const began = performance.now()
    await queue.add('job', {})
    enqueues.push(performance.now() - began)
    pickups.push((await picked) - began)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await worker.close()
  await queue.close()
  return { pickupP50: percentile(pickups, 0.5), enqueueP50: percentile(enqueues, 0.5) }
}

const noop = await rate('noop', number, 50, async () => null)
const fetching = await rate('fetch', Math.floor(number / 3), 10, async () => (await fetch(url)).text())
console.log(JSON.stringify({ noop, fetch: fetching, ...(await latency(200)) }))
process.exit(0)
