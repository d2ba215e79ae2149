import fc from 'fast-check'
import type { Label } from './label.ts'
import { lanesByName, type CloudClearance, type Lane, type Lanes, type Provider } from './lane.ts'
import { zones, type Destination } from './reachable.ts'

export const laneNames = ['alpha', 'beta', 'gamma', 'delta'] as const
export const upstreamNames = ['box', 'gpu', 'cloud_one', 'cloud_two', 'site'] as const

/** Those that an act can name; one of them at two addresses. */
export const providers: readonly Required<Provider>[] = [
  { name: 'cloud_one', url: 'https://one.example' }, { name: 'cloud_one', url: 'https://elsewhere.example' }, { name: 'cloud_two', url: 'https://two.example' },
]

/** Lanes of a label; `undeclared` is in no house. */
const laneSet = fc.uniqueArray(fc.constantFrom(...laneNames, 'undeclared'), { maxLength: 3 }).map((lanes) => lanes.sort())

/** Labels as the house gives them: P2 and above name a lane. */
export const arbitraryLabel: fc.Arbitrary<Label> = fc
  .record({
    level: fc.constantFrom(0, 1, 2, 3),
    integrity: fc.constantFrom('trusted', 'untrusted'),
    lanes: laneSet,
  } satisfies { [K in keyof Label]: fc.Arbitrary<Label[K]> }, { noNullPrototype: true })
  .filter((label) => label.level !== 2 || label.lanes.length > 0)

export const arbitraryLanes: fc.Arbitrary<Lanes> = fc
  .tuple(...laneNames.map((name) =>
    fc.record({
      name: fc.constant(name),
      worker: fc.constantFrom('open', 'private'),
      cloudClearance: fc.constantFrom<CloudClearance>(-1, 0, 1),
      cleared: fc.subarray([...providers]),
      providers: fc.subarray([...upstreamNames]),
      redacts: fc.boolean(),
    } satisfies { [K in keyof Lane]: fc.Arbitrary<Lane[K]> })))
  .map((lanes) => lanesByName(lanes))

export const arbitraryUpstreams: fc.Arbitrary<Destination[]> = fc
  .tuple(...upstreamNames.map((name) => fc.record({
    name: fc.constant(name as string), zone: fc.constantFrom(...zones), owned: fc.boolean(), url: fc.constantFrom('https://one.example', 'https://two.example'),
  })))
  .map((upstreams) => [...upstreams])
