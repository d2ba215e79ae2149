import type { SecretReport } from '../../secrets/index.ts'
import type { AlertView } from '../api.ts'

/** Secrets that have been the same for longer than castellan.yaml wants. The server knows names and dates; `up` tells them. */
export function secretAlerts({ states }: SecretReport, now: Date): AlertView[] {
  return states.flatMap(({ name, dueAt, from }) => (isDue(dueAt, now)
    ? [{ kind: 'secret.due' as const, at: dueAt!, what: `the secret ${name} is due for a new value: ${from === 'hand' ? `put one into secrets/${name} of the home` : `castellan secrets rotate ${name}`}` }]
    : []))
}

export function isDue(dueAt: string | null, now: Date): boolean {
  return dueAt !== null && Date.parse(dueAt) <= now.getTime()
}
