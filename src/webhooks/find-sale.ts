import { openPool } from '../kernel/http-pool.ts'
import { parseBoundedJson } from '../kernel/bounded-json.ts'
import type { FoundSale } from './kinds/gumroad.ts'

const answerMs = 5_000

/** Asks Gumroad for one sale. Follows no redirect, and reads no more than `bytes`. */
export async function findSale({ api, token, bytes }: { readonly api: string; readonly token: string; readonly bytes: number }, id: string): Promise<FoundSale> {
  const pool = openPool(new URL(api).origin, { connections: 1, connect: { timeout: answerMs }, headersTimeout: answerMs, bodyTimeout: answerMs })
  const path = `${new URL(api).pathname.replace(/\/$/, '')}/v2/sales/${encodeURIComponent(id)}`
  try {
    const { statusCode, body } = await pool.request({ path, method: 'GET', headers: { authorization: `Bearer ${token}`, accept: 'application/json' }, signal: AbortSignal.timeout(2 * answerMs) })
    const text = await readUpTo(body, bytes)
    if (statusCode === 404) return { missing: true }
    if (statusCode !== 200 || text === undefined) return { unavailable: text === undefined ? 'it answered with too much' : `it answered ${statusCode}` }
    const answer = parseBoundedJson(text)?.value as { success?: unknown; sale?: unknown } | null | undefined
    if (answer?.success === false) return { missing: true }
    const sale = answer?.sale
    return answer?.success === true && typeof sale === 'object' && sale !== null ? { sale: sale as Record<string, unknown> } : { unavailable: 'it answered something else than a sale' }
  } catch (error) {
    return { unavailable: (error as Error).message }
  } finally {
    // without waiting: a call that was given up would hold it open
    void pool.close().catch(() => {})
  }
}

async function readUpTo(body: AsyncIterable<Uint8Array>, bytes: number): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    if (length > bytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
