import { readWebhooks, type WebhookDeps } from '../read/webhooks.ts'
import type { Examination, Finding } from './doctor.ts'

/** Can what is declared be delivered, does it start anything, and was anything refused today? */
export function webhookExamination(deps: WebhookDeps): Examination {
  return { id: 'webhooks', mend: 'castellan webhook list', look: () => webhooks(deps) }
}

async function webhooks(deps: WebhookDeps): Promise<Finding[]> {
  const { port, webhooks: declared } = await readWebhooks(deps)
  if (declared.length === 0) return [{ status: 'ok', what: 'no webhook is declared' }]
  if (port === null) {
    return [{ status: 'fail', what: `${declared.length} webhook(s) are declared, and nothing listens for them: a process is told of its first webhook when it starts`, mend: 'castellan down && castellan up' }]
  }
  const stored = declared.reduce((sum, { today }) => sum + today.stored, 0)
  return [
    { status: 'ok', what: `${declared.length} webhook(s) on 127.0.0.1:${port}, ${stored} event(s) today` },
    ...declared.flatMap(({ name, problems, jobs, today, events }): Finding[] => [
      ...problems.map((problem): Finding => ({ status: 'fail', what: `${name}: ${problem}` })),
      ...(jobs.length === 0 ? [{ status: 'warn' as const, what: `${name}: its events start no job${events.length > 0 ? ` (it takes in ${events.join(', ')})` : ''}` }] : []),
      ...(today.refused > 0 ? [{ status: 'warn' as const, what: `${name}: ${today.refused} deliveries were refused today (${describe(today.reasons)})` }] : []),
    ]),
  ]
}

const words: Readonly<Record<string, string>> = {
  forged: 'not signed with its secret', late: 'signed too long ago', malformed: 'signed, but not readable', size: 'too large', type: 'sent in another way than its kind is',
  slow: 'broken off', rate: 'too many in a minute', unready: 'could not be verified yet',
}

function describe(reasons: Readonly<Record<string, number>>): string {
  return Object.entries(reasons).map(([reason, count]) => `${count} ${words[reason] ?? reason}`).join(', ')
}
