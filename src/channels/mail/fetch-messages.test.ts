import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ImapFlow } from 'imapflow'
import { fetchSmall } from './fetch-messages.ts'
import { mirrorLimits } from './imap-limits.ts'
import type { FetchedMessage, MirrorStore } from './mirror-store.ts'

test('empty messages without end are not held without end', async () => {
  const limits = { ...mirrorLimits, batch: 10 }
  async function* fetch() {
    for (let sent = 0; sent < 1_000; sent += 1) yield { uid: 1, source: Buffer.alloc(0) }
  }
  const held: number[] = []
  const store = { store: async (messages: readonly FetchedMessage[]) => (held.push(messages.length), 0) } as Partial<MirrorStore> as MirrorStore
  await fetchSmall({ fetch } as unknown as ImapFlow, store, [{ uid: 1, size: 0, receivedAt: new Date(0) }], limits)
  assert.deepEqual([held.length, Math.max(...held)], [100, 10])
})
