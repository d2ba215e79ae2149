import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { processNames, type ProcessName } from '../src/processes/boot.ts'
import { chooseLauncher } from '../src/processes/isolation.ts'
import { readUpState } from '../src/processes/up-state.ts'
import type { Attempt, AttemptResult } from './support/attempt.ts'
import { runningHouse, type RunningHouse } from './support/running-house.ts'

const probe = join(import.meta.dirname, 'support', 'attempt.ts')
const asRoot = process.getuid?.() === 0

test('no process can do the work of another', { skip: !asRoot && 'only root can give each process its own uid' }, async (t) => {
  // with something to read, so that the reader runs as well
  const house = await runningHouse(t, { edit: (yaml) => `${yaml}\nsources: { nothing: { kind: http, url: "https://api.example.org/" } }\n` })
  assert.equal(house.up.isolation.mode, 'separate-uids')
  const network = await listeners(t)
  const attempts = Object.fromEntries(processNames.map((name) => [name, attemptsOf(name, house, network)]))
  for (const name of processNames) {
    await t.test(`${name}: ${attempts[name]!.length} attempts are refused`, (t) => {
      const results = run(name, house, attempts[name]!)
      for (const { what, outcome } of results) t.diagnostic(`${name}: ${what}: ${outcome}`)
      assert.deepEqual(results.filter(({ outcome }) => outcome === 'done'), [])
    })
  }
  await t.test('the same attempts succeed for root, so they do try something', () => {
    const all = processNames.flatMap((name) => attempts[name]!).filter(({ how }) => how !== 'write')
    const answer = execFileSync(process.execPath, [probe], { input: JSON.stringify(all) })
    const refused = (JSON.parse(answer.toString()) as AttemptResult[]).filter(({ outcome }) => outcome !== 'done')
    assert.deepEqual(refused, [])
  })
})

function run(name: ProcessName, house: RunningHouse, attempts: readonly Attempt[]): AttemptResult[] {
  const [program, ...args] = chooseLauncher(house.home).wrap(name, [process.execPath, probe])
  return JSON.parse(execFileSync(program!, args, { input: JSON.stringify(attempts) }).toString()) as AttemptResult[]
}

/** What `name` must not be able to do: everything that belongs to the others. */
function attemptsOf(name: ProcessName, house: RunningHouse, network: Record<'tcp' | 'udp', string>): Attempt[] {
  const { home, folder, up } = house
  const { sockets } = readUpState(home)!
  const others = processNames.filter((other) => other !== name)
  const doors: Record<ProcessName, string> = {
    server: sockets.server,
    releaser: sockets.releaser,
    'gate-local': sockets.releaser.replace('/releaser/', '/gate-local/'),
    'gate-cloud': sockets.releaser.replace('/releaser/', '/gate-cloud/'),
    reader: sockets.releaser.replace('/releaser/', '/reader/'),
    'worker-open': '', 'worker-private': '',
  }
  const mayEnter: Partial<Record<ProcessName, readonly ProcessName[]>> = {
    'worker-private': ['gate-local', 'reader'],
    'worker-open': ['gate-local', 'gate-cloud', 'reader'],
    server: ['gate-local', 'gate-cloud'],
    'gate-local': ['gate-cloud'],
  }
  return [
    ...[...others, 'database', 'operator', 'secrets', 'log'].map((other): Attempt => ({ what: `list the folder of ${other}`, how: 'list', target: join(home, other) })),
    ...others.flatMap((other): Attempt[] => {
      const pid = String(up.processes.get(other)!.pid)
      return [
        { what: `signal ${other}`, how: 'signal', target: pid },
        { what: `read the environment of ${other}`, how: 'read', target: `/proc/${pid}/environ` },
        { what: `read the memory map of ${other}`, how: 'read', target: `/proc/${pid}/maps` },
        { what: `list the descriptors of ${other}`, how: 'list', target: `/proc/${pid}/fd` },
        ...(doors[other] && !mayEnter[name]?.includes(other) ? [{ what: `enter the socket of ${other}`, how: 'unix', target: doors[other] } as const] : []),
      ]
    }),
    ...(name === 'reader' ? [] : [{ what: 'list the ways out of commands', how: 'list', target: join(sockets.releaser.replace('/releaser/socket', '/reader'), 'out') } as const]),
    { what: 'signal the database', how: 'signal', target: String(up.databasePid()) },
    { what: 'signal up', how: 'signal', target: String(process.pid) },
    { what: 'read the owner of the database', how: 'read', target: join(home, 'database', 'owner.password') },
    { what: 'read the keys of the operator', how: 'read', target: join(home, 'operator', 'demonstration.key.json') },
    { what: 'read the nonces that were spent', how: 'read', target: join(home, name === 'releaser' ? 'operator' : 'releaser', name === 'releaser' ? 'demonstration.key.json' : 'operator-keys.json') },
    { what: 'write the configuration', how: 'write', target: join(folder, 'castellan.yaml') },
    { what: 'write the label rules', how: 'write', target: join(folder, 'labels.yaml') },
    { what: 'add a job', how: 'write', target: join(folder, 'jobs', 'mine.yaml') },
    ...(name === 'releaser' ? [] : [{ what: 'write into the outbox', how: 'write', target: join(folder, 'outbox', 'forged.eml') } as const]),
    ...(name === 'worker-private' ? [] : [{ what: 'list the vault', how: 'list', target: join(folder, 'vault') } as const]),
    ...(name.startsWith('worker')
      ? ([
          { what: 'open a TCP connection', how: 'tcp', target: network.tcp },
          { what: 'send a UDP datagram', how: 'udp', target: network.udp },
        ] as const)
      : []),
  ]
}

/** Somebody who would answer, so that a refusal is a refusal and not an empty port. */
async function listeners(t: TestContext): Promise<Record<'tcp' | 'udp', string>> {
  const tcp = createServer((socket) => socket.end()).listen(0, '127.0.0.1')
  const udp = createSocket('udp4').bind(0, '127.0.0.1')
  await Promise.all([once(tcp, 'listening'), once(udp, 'listening')])
  t.after(() => {
    tcp.close()
    udp.close()
  })
  return { tcp: `127.0.0.1 ${(tcp.address() as { port: number }).port}`, udp: `127.0.0.1 ${udp.address().port}` }
}
