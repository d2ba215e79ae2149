import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { processNames, type ProcessName } from '../../src/processes/boot.ts'
import { chooseLauncher } from '../../src/processes/isolation.ts'
import { readUpState } from '../../src/processes/up-state.ts'
import type { Attempt, AttemptResult } from './attempt.ts'
import type { RunningHouse } from './running-house.ts'

export const probe = join(import.meta.dirname, 'attempt.ts')

/** As that process would: its user, its groups, its network, its walls. */
export function attemptAs(name: ProcessName, house: RunningHouse, attempts: readonly Attempt[]): AttemptResult[] {
  const [program, ...args] = chooseLauncher(house.home).wrap(name, [process.execPath, probe])
  return JSON.parse(execFileSync(program!, args, { input: JSON.stringify(attempts) }).toString()) as AttemptResult[]
}

/** What `name` must not be able to do: everything that belongs to the others. */
export function attemptsOf(name: ProcessName, house: RunningHouse, network: Record<'tcp' | 'udp', string>): Attempt[] {
  const { home, folder, up } = house
  const { sockets } = readUpState(home)!
  const others = processNames.filter((other) => other !== name && up.processes.has(other))
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
    ...(name === 'reader' || !up.processes.has('reader') ? [] : [{ what: 'list the ways out of commands', how: 'list', target: join(sockets.releaser.replace('/releaser/socket', '/reader'), 'out') } as const]),
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
export async function listeners(t: Pick<TestContext, 'after'>): Promise<Record<'tcp' | 'udp', string>> {
  const tcp = createServer((socket) => socket.end()).listen(0, '127.0.0.1')
  const udp = createSocket('udp4').bind(0, '127.0.0.1')
  await Promise.all([once(tcp, 'listening'), once(udp, 'listening')])
  t.after(() => {
    tcp.close()
    udp.close()
  })
  return { tcp: `127.0.0.1 ${(tcp.address() as { port: number }).port}`, udp: `127.0.0.1 ${udp.address().port}` }
}
