import { once } from 'node:events'
import { openPool, type HttpPool } from '../src/kernel/http-pool.ts'
import { median } from './figure.ts'
import { keepBusy } from './keep-busy.ts'

/** A way to the model server: straight, or through one of those that are compared. */
export interface Way {
  readonly name: string
  readonly url: string
  readonly model: string
  readonly headers: Readonly<Record<string, string>>
}

export interface Load {
  /** Requests a second. */
  readonly rate: number
  /** Milliseconds, the middle one of all requests: until the first byte of the answer, and until its end. */
  readonly firstByte: number
  readonly whole: number
}

type Messages = readonly { readonly role: string; readonly content: string }[]

/** Keeps so many callers busy for so long. Every answer is read to its end. */
export async function load(way: Way, { concurrency, milliseconds, stream, messages }: { concurrency: number; milliseconds: number; stream: boolean; messages: () => Messages }): Promise<Load> {
  const pool = openPool(way.url, { connections: concurrency })
  const firstBytes: number[] = []
  const wholes: number[] = []
  const { done, milliseconds: took } = await keepBusy(concurrency, milliseconds, async () => {
    const began = performance.now()
    const body = await post(pool, way, { model: way.model, stream, messages: messages() })
    await once(body, 'readable')
    firstBytes.push(performance.now() - began)
    await body.dump({ limit: 2 ** 24 })
    wholes.push(performance.now() - began)
  })
  await pool.close()
  return { rate: done / (took / 1_000), firstByte: median(firstBytes), whole: median(wholes) }
}

/** Opens so many streams that wait in the middle; runs `during` while all of them do; lets them end. */
export async function holdStreams(way: Way, count: number, release: () => Promise<void>, during: () => void): Promise<void> {
  const pool = openPool(way.url, { connections: count })
  const bodies = await Promise.all(Array.from({ length: count }, async () => {
    const body = await post(pool, way, { model: way.model.replace('bench', 'held'), stream: true, messages: [{ role: 'user', content: 'Hello' }] })
    await once(body, 'readable')
    return body
  }))
  during()
  await release()
  await Promise.all(bodies.map((body) => body.dump({ limit: 2 ** 24 })))
  await pool.close()
}

async function post(pool: HttpPool, { name, headers }: Way, body: object): ReturnType<HttpPool['request']> extends Promise<infer R extends { body: unknown }> ? Promise<R['body']> : never {
  const response = await pool.request({
    method: 'POST', path: '/v1/chat/completions', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body),
  })
  if (response.statusCode !== 200) throw new Error(`${name} answered ${response.statusCode}: ${await response.body.text()}`)
  return response.body
}
