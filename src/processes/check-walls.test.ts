import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { checkWalls } from './check-walls.ts'

const alone = { uid: 991, routes: 'Iface\tDestination\n', routes6: `${'0'.repeat(32)} 00 ffffffff 00000001       lo\n` }
const connected = { ...alone, routes: 'Iface\tDestination\neth0\t00000000\t010200C0\n' }

test('nobody starts as root, and no worker with a way to a network', () => {
  checkWalls('worker-open', alone)
  checkWalls('worker-open', { ...alone, routes: undefined, routes6: undefined })
  checkWalls('releaser', connected)
  assert.throws(() => checkWalls('releaser', { ...alone, uid: 0 }), { code: 'walls.root' })
  assert.throws(() => checkWalls('worker-private', connected), { code: 'walls.network' })
  assert.throws(() => checkWalls('worker-open', { ...alone, routes6: 'fd00 40 00 00000001     eth0\n' }), { code: 'walls.network' })
})

test('in a network namespace of its own a process finds none', { skip: process.getuid?.() !== 0 && 'only root can make a network namespace here' }, () => {
  const [routes, routes6] = ['route', 'ipv6_route'].map((name) => execFileSync('unshare', ['--net', 'cat', `/proc/self/net/${name}`]).toString())
  checkWalls('worker-open', { uid: 991, routes, routes6 })
  assert.throws(() => checkWalls('worker-open', { uid: 991, routes: `${readFileSync('/proc/self/net/route', 'utf8')}any\t0\n`, routes6 }), { code: 'walls.network' })
})
