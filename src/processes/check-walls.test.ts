import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { checkWalls } from './check-walls.ts'

const none = '0'.repeat(16)
const status = `Name:\tnode\nCapInh:\t${none}\nCapPrm:\t${none}\nCapEff:\t${none}\nCapBnd:\t${none}\nCapAmb:\t${none}\nNoNewPrivs:\t1\n`
const alone = { uid: 991, status, routes: 'Iface\tDestination\n', routes6: `${'0'.repeat(32)} 00 ffffffff 00000001       lo\n` }
const connected = { ...alone, routes: 'Iface\tDestination\neth0\t00000000\t010200C0\n' }

test('nobody starts as root, and no worker with a way to a network', () => {
  checkWalls('worker-open', alone)
  checkWalls('worker-open', { ...alone, routes: undefined, routes6: undefined })
  checkWalls('releaser', connected)
  assert.throws(() => checkWalls('releaser', { ...alone, uid: 0 }), { code: 'walls.root' })
  assert.throws(() => checkWalls('worker-private', connected), { code: 'walls.network' })
  assert.throws(() => checkWalls('worker-open', { ...alone, routes6: 'fd00 40 00 00000001     eth0\n' }), { code: 'walls.network' })
})

test('nobody starts with a capability, or where a program could give it one', () => {
  const reads = '0000000000000002' // CAP_DAC_OVERRIDE: every secret of every other process
  for (const set of ['CapPrm', 'CapEff', 'CapAmb']) {
    assert.throws(() => checkWalls('gate-cloud', { ...alone, status: status.replace(`${set}:\t${none}`, `${set}:\t${reads}`) }), { code: 'walls.rights', message: new RegExp(`${set} ${reads}.*CapabilityBoundingSet=`) })
  }
  assert.throws(() => checkWalls('gate-cloud', { ...alone, status: status.replace('NoNewPrivs:\t1', 'NoNewPrivs:\t0') }), { code: 'walls.rights', message: /NoNewPrivileges=yes/ })
  assert.throws(() => checkWalls('gate-cloud', { ...alone, status: '' }), { code: 'walls.rights' })
})

test('in a network namespace of its own a process finds none', { skip: process.getuid?.() !== 0 && 'only root can make a network namespace here' }, () => {
  const [routes, routes6] = ['route', 'ipv6_route'].map((name) => execFileSync('unshare', ['--net', 'cat', `/proc/self/net/${name}`]).toString())
  checkWalls('worker-open', { ...alone, routes, routes6 })
  assert.throws(() => checkWalls('worker-open', { ...alone, routes: `${readFileSync('/proc/self/net/route', 'utf8')}any\t0\n`, routes6 }), { code: 'walls.network' })
})
