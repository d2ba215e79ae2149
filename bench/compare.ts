import { middle, type Figure } from './figure.ts'
import type { Side } from './side.ts'

export interface Comparison {
  readonly ours: Side
  readonly peer: Side
  readonly peerName: string
  readonly unit: string
  readonly rounds: number
  /** Of one measurement. */
  readonly milliseconds: number
  readonly cases: readonly { readonly name: string; readonly concurrency: number; readonly ratio: number }[]
  onProgress(line: string): void
}

/** Measures both sides in turns (A B, B A, …), after a round that does not count, so that a slow minute of the machine hits both. */
export async function compare({ ours, peer, peerName, unit, rounds, milliseconds, cases, onProgress }: Comparison): Promise<Figure[]> {
  const found = new Map(cases.map(({ name }) => [name, { ours: [] as number[], peer: [] as number[] }]))
  for (let round = 0; round <= rounds; round += 1) {
    for (const { name, concurrency } of cases) {
      const sides = [
        { side: ours, into: found.get(name)!.ours },
        { side: peer, into: found.get(name)!.peer },
      ]
      if (round % 2 === 1) sides.reverse()
      for (const { side, into } of sides) {
        const measured = await side.measure(concurrency, round === 0 ? milliseconds / 2 : milliseconds)
        if (round > 0) into.push(measured.done / (measured.milliseconds / 1_000))
      }
    }
    onProgress(round === 0 ? 'warm' : `round ${round} of ${rounds}`)
  }
  return cases.map(({ name, ratio }) => ({
    name,
    unit,
    ...middle(found.get(name)!.ours),
    peer: { name: peerName, ...middle(found.get(name)!.peer) },
    target: { ratio },
  }))
}
