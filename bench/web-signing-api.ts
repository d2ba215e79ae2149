import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { createFileConnector } from '../src/outbox/connectors/file.ts'
import { challengeOf, readDocument } from '../src/outbox/document.ts'
import { median, middle, type Figure } from './figure.ts'
import { listed, type BusyHouse } from './web-house.ts'
import { openSigningDoor } from './web-signing-door.ts'

const listsPerRound = 10
const decisionsPerRound = 20

/** How many drafts have to wait, so that every round finds a whole list; one round more than counts. */
export const draftsFor = (rounds: number): number => listed + (rounds + 1) * decisionsPerRound

interface Summary { readonly id: string }
interface Detail { readonly document: string; readonly challenge: string; readonly wire: string }

/** What the signing page asks, over its port and with its session: how long a full list takes, and how soon a signed draft has left. */
export async function measureSigningApi(house: BusyHouse, rounds: number, onProgress: (line: string) => void): Promise<Figure[]> {
  const door = await openSigningDoor(house)
  const connector = createFileConnector({ name: 'file', path: join(house.home, 'alone'), from: 'house@example.org' })
  const lists: number[] = []
  const releases: number[] = []
  const alone: number[] = []
  try {
    for (let round = 0; round <= rounds; round += 1) {
      const list: number[] = []
      let drafts: Summary[] = []
      for (let i = 0; i < listsPerRound; i += 1) {
        const began = performance.now()
        drafts = await door.get<Summary[]>(`/api/drafts?state=waiting&limit=${listed}`)
        list.push(performance.now() - began)
        if (drafts.length !== listed) throw new Error(`${drafts.length} of ${listed} drafts were listed`)
      }
      const released: number[] = []
      const delivered: number[] = []
      for (const { id } of drafts.slice(0, decisionsPerRound)) {
        const shown = await door.get<Detail>(`/api/drafts/${id}`)
        const signature = door.sign(challengeOf(shown.document))
        const decided = performance.now()
        await door.post(`/api/drafts/${id}/decide`, { verdict: 'approve', challenge: shown.challenge, ...signature })
        for (;;) {
          const { rows } = await house.owner.pool.query<{ state: string }>('select state from draft where id = $1 and closed_at is not null', [id])
          if (rows[0]?.state === 'released') break
          if (rows[0]) throw new Error(`draft ${id} is ${rows[0].state}`)
          await turn()
        }
        released.push(performance.now() - decided)
        const began = performance.now()
        await connector.deliver(Buffer.from(shown.wire, 'base64'), readDocument(shown.document), AbortSignal.timeout(10_000), async () => {})
        delivered.push(performance.now() - began)
      }
      if (round === 0) continue
      lists.push(median(list))
      alone.push(median(delivered))
      releases.push(median(released) - median(delivered))
      onProgress(`web: round ${round}: list ${lists.at(-1)!.toFixed(1)} ms, decision to released ${releases.at(-1)!.toFixed(1)} ms, the connector ${alone.at(-1)!.toFixed(1)} ms`)
    }
  } finally {
    await door.close()
  }
  return [
    { name: `${listed.toLocaleString('en')} waiting drafts listed on the signing page`, unit: 'ms', ...middle(lists), target: { atMost: 100 } },
    { name: 'decision to released, hold aside, without the connector', unit: 'ms', ...middle(releases), target: { atMost: 50 } },
  ]
}
