import { middle, type Figure, type Target } from './figure.ts'
import { holdStreams, load, type Load } from './gate-load.ts'
import { openWays } from './gate-ways.ts'
import { usageOf } from './process-tree.ts'

const heldStreams = 500
const milliseconds = 1_500

const short = () => [{ role: 'system', content: 'You are terse.' }, { role: 'user', content: 'Say good morning in two words. '.repeat(4) }]
/** A conversation of 100 KB that goes on: each request has the messages of the one before. */
const prefix = Array.from({ length: 100 }, (_, index) => ({ role: index % 2 === 0 ? 'user' : 'assistant', content: `${index}: ${'a conversation repeats its prefix. '.repeat(29)}` }))
let turn = 0
const long = () => [...prefix, { role: 'user', content: `and now number ${(turn += 1)}` }]

type Name = 'gate' | 'portkey' | 'bare' | 'direct'
const all: readonly Name[] = ['gate', 'portkey', 'bare', 'direct']
const cases = [
  ...[1, 10, 100].flatMap((concurrency) => [false, true].map((stream) => ({ id: `${stream ? 'streams' : 'JSON'}, c=${concurrency}`, concurrency, stream, messages: short, ways: all }))),
  { id: '100 KB', concurrency: 1, stream: false, messages: long, ways: ['gate', 'direct'] as readonly Name[] },
]

/** Our gate with everything on, Portkey's, a bare proxy, and no gateway at all, to one model server that answers at once: in turns, in one run. */
export async function measureGate(rounds: number, onProgress: (line: string) => void): Promise<Figure[]> {
  const ways = await openWays()
  const found = new Map<string, Load[]>()
  const of = (id: string, name: Name) => found.get(`${id} ${name}`) ?? []
  const memory: number[] = []
  try {
    for (let round = 0; round <= rounds; round += 1) {
      for (const { id, ways: names, ...given } of cases) {
        for (const name of turned(names, round)) {
          const measured = await load(ways[name], { ...given, milliseconds: round === 0 ? milliseconds / 2 : milliseconds })
          if (round > 0) found.set(`${id} ${name}`, [...of(id, name), measured])
        }
      }
      await holdStreams(ways.gate, heldStreams, ways.release, () => {
        if (round > 0) memory.push(usageOf(ways.gatePid).pss / 2 ** 20)
      })
      onProgress(round === 0 ? 'warm' : `round ${round} of ${rounds}`)
    }
  } finally {
    await ways.stop()
  }

  const rates = (id: string, name: Name) => middle(of(id, name).map(({ rate }) => rate))
  const against = (id: string, peer: 'portkey' | 'bare', ratio: number): Figure =>
    ({ name: `requests, ${id}`, unit: '/s', ...rates(id, 'gate'), peer: { name: ways[peer].name, ...rates(id, peer) }, target: { ratio } })
  /** Milliseconds over no gateway, round by round. */
  const added = (name: string, id: string, what: 'firstByte' | 'whole', target: Target): Figure =>
    ({ name, unit: 'ms', ...middle(of(id, 'gate').map((ours, round) => ours[what] - of(id, 'direct')[round]![what])), target })
  return [
    ...['JSON, c=10', 'streams, c=10'].flatMap((id) => [against(id, 'portkey', 5), against(id, 'bare', 0.5)]),
    // no promise is made of these; they must not be worse than the peer
    ...['JSON, c=1', 'streams, c=1', 'JSON, c=100', 'streams, c=100'].map((id) => against(id, 'portkey', 1)),
    added('added at c=1, JSON (p50)', 'JSON, c=1', 'whole', { atMost: 1.5 }),
    added('added to the first byte of a stream', 'streams, c=1', 'firstByte', { atMost: 2 }),
    added('added to a prompt of 100 KB that goes on', '100 KB', 'whole', { atMost: 3 }),
    { name: `memory with ${heldStreams} streams (PSS)`, unit: 'MiB', ...middle(memory), target: { atMost: 250 } },
  ]
}

/** Another begins each round, so that a slow minute of the machine hits all. */
function turned(names: readonly Name[], round: number): Name[] {
  const by = round % names.length
  return [...names.slice(by), ...names.slice(0, by)]
}
