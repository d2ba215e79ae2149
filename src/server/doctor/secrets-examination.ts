import type { Clock } from '../../kernel/clock.ts'
import type { SecretReport } from '../../secrets/index.ts'
import { isDue } from '../read/secrets.ts'
import type { Examination, Finding } from './doctor.ts'

export interface SecretsDeps {
  readonly clock: Clock
  secrets(): SecretReport
}

/** Is every secret there that a process is given, closed to others, and not older than it should be? As `up` has last seen them. */
export function secretsExamination({ clock, secrets }: SecretsDeps): Examination {
  return { id: 'secrets', mend: 'castellan secrets status', look: async () => findings(secrets(), clock.now()) }
}

function findings({ states, problem, unseen }: SecretReport, now: Date): Finding[] {
  if (unseen) return [{ status: 'ok', what: 'not looked at: the system gives each unit its secrets, and `up` sees none, nor whether one is missing or due; as root, `castellan secrets status` does' }]
  if (problem !== null) return [{ status: 'fail', what: problem }]
  const needed = states.filter(({ usedBy }) => usedBy.length > 0)
  const named = (state: string) => needed.filter((one) => one.state === state).map(({ name, from }) => ({ name, from }))
  const due = needed.filter(({ state, dueAt }) => state !== 'missing' && isDue(dueAt, now))
  return [
    { status: 'ok', what: needed.length === 0 ? 'the house needs no secret' : `${needed.length - named('missing').length} of ${needed.length} secret(s) are there` },
    ...named('missing').map(({ name, from }): Finding => ({ status: 'fail', what: `the secret ${name} is not there`, mend: from === 'hand' ? 'castellan secrets status' : `castellan secrets render ${name}` })),
    ...named('exposed').map(({ name }): Finding => ({ status: 'fail', what: `the secret ${name} can be read by other users` })),
    ...named('unfinished').map(({ name }): Finding => ({ status: 'warn', what: `the new value of the secret ${name} has not come to all who need it`, mend: `castellan secrets rotate ${name}` })),
    ...due.map(({ name, from }): Finding => ({ status: 'warn', what: `the secret ${name} is due for a new value`, mend: from === 'hand' ? 'castellan secrets status' : `castellan secrets rotate ${name}` })),
  ]
}
