import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { covers, join, UNLABELLED, type Label } from './label.ts'
import { cloudClearance, lanesByName, mayExecute, maySee, queueOf, type Lane, type Lanes } from './lane.ts'
import { arbitraryLabel, arbitraryLanes, arbitraryUpstreams } from './labels.arbitrary.ts'
import { reachable, zoneClearance, type Destination, type Zone } from './reachable.ts'

function providers(lanes: Lanes, upstreams: readonly Destination[], ...labels: Label[]): string[][] {
  return labels.map((label) => reachable(label, lanes, upstreams))
}

test('more label never reaches more providers', () => {
  fc.assert(fc.property(arbitraryLabel, arbitraryLabel, arbitraryLanes, arbitraryUpstreams, (a, b, lanes, upstreams) => {
    const [ofA, ofB, ofBoth] = providers(lanes, upstreams, a, b, join(a, b))
    assert.ok(ofBoth!.every((name) => ofA!.includes(name) && ofB!.includes(name)))
    if (covers(a, b)) assert.ok(ofA!.every((name) => ofB!.includes(name)))
  }), { numRuns: 500 })
})

test('at one level the providers of a join are exactly the intersection', () => {
  fc.assert(fc.property(arbitraryLabel, arbitraryLabel, arbitraryLanes, arbitraryUpstreams, (a, b, lanes, upstreams) => {
    const sameLevel: Label = { ...b, level: a.level }
    fc.pre(a.level !== 2 || b.lanes.length > 0)
    const [ofA, ofB, ofBoth] = providers(lanes, upstreams, a, sameLevel, join(a, sameLevel))
    assert.deepEqual(ofBoth, ofA!.filter((name) => ofB!.includes(name)))
  }), { numRuns: 500 })
})

test('the queue, the worker and the sight of a run only close as its label rises', () => {
  fc.assert(fc.property(arbitraryLabel, arbitraryLabel, arbitraryLanes, (a, b, lanes) => {
    const joined = join(a, b)
    for (const lane of a.lanes) {
      if (queueOf(lane, joined, lanes) === 'runs_open') assert.equal(queueOf(lane, a, lanes), 'runs_open')
      if (mayExecute('open', lane, joined, lanes)) assert.ok(mayExecute('open', lane, a, lanes) && maySee('open', a, lanes))
    }
    if (maySee('open', joined, lanes)) assert.ok(maySee('open', a, lanes))
    assert.ok(maySee('private', joined, lanes))
  }))
})

const lanes = lanesByName([
  { name: 'private', worker: 'private', cloudClearance: -1, providers: ['local'] },
  { name: 'open', worker: 'open', cloudClearance: 1, providers: ['local', 'cloud'] },
  { name: 'contract', worker: 'open', cloudClearance: 1, cleared: [{ name: 'cloud', url: 'https://cloud.example' }], providers: ['local', 'cloud', 'other'] },
  { name: 'house', worker: 'private', cloudClearance: 1, providers: ['local', 'cloud', 'mesh'] },
] satisfies Lane[])
const upstreams = [
  { name: 'local', zone: 'machine' }, { name: 'mesh', zone: 'mesh' }, { name: 'cloud', zone: 'cloud', url: 'https://cloud.example' }, { name: 'other', zone: 'cloud', url: 'https://cloud.example' },
  { name: 'site', zone: 'internet' },
] as const

function label(level: Label['level'], ...names: string[]): Label {
  return { level, integrity: 'trusted', lanes: names }
}

test('P3 stays on this machine, P2 within the mesh, and a lane without clearance never reaches a cloud', () => {
  assert.deepEqual(reachable(label(3, 'house'), lanes, upstreams), ['local'])
  assert.deepEqual(reachable(label(2, 'house'), lanes, upstreams), ['local', 'mesh'])
  assert.deepEqual(reachable(label(1, 'open'), lanes, upstreams), ['local', 'cloud'])
  assert.deepEqual(reachable(label(0, 'private'), lanes, upstreams), ['local'])
  assert.deepEqual(reachable(label(0), lanes, upstreams), ['local', 'mesh', 'cloud', 'other', 'site'])
})

test('a lane with a contract may show P2 to the one provider that an act clears, but not what belongs to the house', () => {
  assert.deepEqual(reachable(label(2, 'contract'), lanes, upstreams), ['local', 'cloud'])
  assert.deepEqual(reachable(label(1, 'contract'), lanes, upstreams), ['local', 'cloud', 'other'])
  assert.deepEqual(reachable(label(3, 'contract'), lanes, upstreams), ['local'])
  assert.deepEqual(reachable(join(label(2, 'contract'), label(2, 'house')), lanes, upstreams), ['local'])
  assert.equal(queueOf('contract', label(2, 'contract'), lanes), 'runs_private')
  assert.equal(maySee('open', label(2, 'contract'), lanes), false)
})

test('an act names an address: at another one, or without one, the provider is not cleared', () => {
  const moved = [{ name: 'cloud', zone: 'cloud', url: 'https://cloud.example.evil' }, { name: 'cloud', zone: 'cloud' }] as const
  assert.deepEqual(reachable(label(2, 'contract'), lanes, moved), [])
  const closed = lanesByName([{ ...lanes.get('contract')!, cloudClearance: -1 }])
  assert.deepEqual(reachable(label(2, 'contract'), closed, upstreams), ['local'])
})

test('another machine may see P3 only when it is known to be the operator\'s own', () => {
  assert.deepEqual(reachable(label(3, 'house'), lanes, [{ name: 'mesh', zone: 'mesh', owned: true }]), ['mesh'])
  assert.deepEqual(reachable(label(3, 'house'), lanes, [{ name: 'mesh', zone: 'mesh', owned: false }]), [])
})

test('a lane that is not declared, an upstream that no lane names and a zone that nobody knows reach nothing', () => {
  assert.equal(cloudClearance(label(0, 'open', 'unheard_of'), lanes), -1)
  assert.deepEqual(reachable(label(0, 'open', 'unheard_of'), lanes, upstreams), [])
  assert.deepEqual(reachable(label(0, 'open'), lanes, [{ name: 'other', zone: 'machine' }]), [])
  assert.equal(zoneClearance('moon' as Zone, label(0), lanes), -1)
  assert.deepEqual(reachable(label(0), lanes, [{ name: 'local', zone: 'moon' as Zone }]), [])
})

test('what has no label reaches this machine alone', () => {
  assert.deepEqual(reachable(UNLABELLED, lanes, upstreams), ['local'])
})
