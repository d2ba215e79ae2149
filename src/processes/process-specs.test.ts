import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../kernel/clock.ts'
import type { House } from '../house/index.ts'
import { secretsExamination } from '../server/index.ts'
import { processNames, type Sockets } from './boot.ts'
import { attachedSpec, isWanted, processSpec, type SpecDeps } from './process-specs.ts'

const sockets: Sockets = { server: '/s', releaser: '/r', gateLocal: '/gl', gateCloud: '/gc', reader: '/rd' }
const house = { jobs: [], settings: { models: { upstreams: [], routes: {} }, mail: { accounts: [] }, webhooks: [], sources: [], outbox: { connectors: [] }, telemetry: { traces: null }, database: { kind: 'embedded' }, secrets: [] } } as unknown as House

test('a process is told of its own socket and of those that it may enter: the private worker knows of no cloud gate', () => {
  const told = processNames.map((name) => {
    const { boot } = processSpec(name, {
      home: '/home', key: 'k', sockets, house: () => house,
      launcher: { isolation: { mode: 'demonstration', detail: '' }, wrap: (_, program) => [...program] },
      connectionOf: () => ({ host: '', port: 0, database: '', user: '', password: '' }),
    })
    return [name, Object.values((boot() as { sockets: Sockets }).sockets).filter((path) => path !== '')]
  })
  assert.deepEqual(Object.fromEntries(told), {
    server: ['/s', '/gl', '/gc'], releaser: ['/r'], 'gate-local': ['/gl', '/gc'], 'gate-cloud': ['/gc'],
    'worker-open': ['/gl', '/gc', '/rd'], 'worker-private': ['/gl', '/rd'], reader: ['/rd'],
  })
})

test('the reader runs only where there is something to read, and everybody else always', () => {
  const wanted = (sources: unknown[]) => processNames.filter((name) => isWanted(name, { ...house, settings: { ...house.settings, sources } } as House))
  assert.deepEqual(wanted([]), processNames.filter((name) => name !== 'reader'))
  assert.deepEqual(wanted([{ name: 'leads' }]), [...processNames])
})

test('the server of a house of units is not told that secrets are missing which only the system can see', async () => {
  const keyed = { ...house, settings: { ...house.settings, models: { upstreams: [{ name: 'far', zone: 'cloud', key: { secret: 'far' } }], routes: {} } } } as unknown as House
  const deps: SpecDeps = {
    home: '/home-that-is-not-there', key: 'k', sockets, house: () => keyed,
    launcher: { isolation: { mode: 'separate-uids', detail: '' }, wrap: (_, program) => [...program] },
    connectionOf: () => ({ host: '', port: 0, database: '', user: '', password: '' }),
  }
  const { secretReport } = attachedSpec('server', '/door', deps).boot()
  const found = await secretsExamination({ clock: systemClock, secrets: () => secretReport! }).look()
  assert.deepEqual([found].flat().map(({ status }) => status), ['ok'])
})
