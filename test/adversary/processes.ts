import { execFileSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { processNames, type ProcessName } from '../../src/processes/boot.ts'
import type { SupervisedProcess } from '../../src/processes/supervise.ts'
import type { Attempt, AttemptResult } from '../support/attempt.ts'
import { attemptAs, attemptsOf, listeners, probe } from '../support/process-attempts.ts'
import { got, stopped, type Attack, type Family, type Outcome } from './attack.ts'
import type { Field } from './field.ts'
import type { Cleanup } from './outside.ts'

/** Whoever has taken over one process, as its user, with its groups and its network, tries what belongs to the others. */
export function processes(field: Field, t: Cleanup): Family {
  const { house, outside } = field
  return {
    name: 'processes that were taken over',
    skip: process.getuid?.() === 0 ? false : 'only root can give each process its own uid',
    async attacks() {
      const network = await listeners({ after: t.after as never })
      const attempts = new Map(processNames.filter((name) => name !== 'releaser' && house.up.processes.has(name)).map((name) => [name, [...attemptsOf(name, house, network), ...more(name)]]))
      const results = new Map([...attempts].map(([name, tries]) => [name, attemptAs(name, house, tries)]))
      const all = [...attempts.values()].flat().filter(({ how }) => how !== 'write')
      const byRoot = (JSON.parse(execFileSync(process.execPath, [probe], { input: JSON.stringify(all) }).toString()) as AttemptResult[]).filter(({ outcome }) => outcome !== 'done')
      const attacks = [...results].flatMap(([name, ends]) => ends.map(({ what, outcome }): Attack => ({ name: `${name} tries to ${what}`, attempt: () => judge(outcome) })))
      return [...attacks, { name: 'root does all of the same, so that each is something that can be done', attempt: () => (byRoot.length === 0 ? stopped('nothing: root may, and defeats all of this') : got(`not even root can ${byRoot.map(({ what, outcome }) => `${what} (${outcome})`).join(', ')}`)) }]
    },
  }

  /** What is outside, and what lies around it. */
  function more(name: ProcessName): Attempt[] {
    const run = dirname(dirname((house.up.processes.get('releaser') as SupervisedProcess).spec.boot().sockets.releaser))
    const outsiders = name.startsWith('worker')
      ? Object.values(outside.wires).filter((wire) => wire.name !== 'lair').map(({ name: whom, port }): Attempt => ({ what: `reach ${whom} over TCP`, how: 'tcp', target: `127.0.0.1 ${port}` }))
      : []
    return [
      ...outsiders,
      { what: 'add a socket where the releaser has its own', how: 'write', target: join(run, 'releaser', 'mine') },
      { what: 'add a file where PostgreSQL has its socket', how: 'write', target: join(run, 'database', 'mine') },
      { what: 'write into the home', how: 'write', target: join(house.home, 'mine') },
      { what: 'write into the compiled code', how: 'write', target: join(house.home, 'cache', 'mine') },
      { what: 'write into the source', how: 'write', target: join(import.meta.dirname, '../../src/processes/main.ts') },
      { what: 'add a letter to the mailbox', how: 'write', target: join(house.folder, 'mailbox', 'mine.eml') },
      ...(name === 'worker-private' ? [] : [{ what: 'add a brief', how: 'write', target: join(house.folder, 'briefs', 'mine.md') } as const]),
      { what: 'read the secrets', how: 'read', target: join(house.home, 'secrets', 'far_key') },
      { what: 'read the state of up', how: 'read', target: join(house.home, 'up.json') },
    ]
  }
}

const judge = (outcome: string): Outcome => (outcome === 'done' ? got('it was done') : stopped(outcome))
