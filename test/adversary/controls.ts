import { execFileSync } from 'node:child_process'
import type { Field, Proposal } from './field.ts'

let round = 0

/**
 * One innocent act by each way out, signed by the operator: each must arrive. What never could leave would be no proof that nothing did.
 * @returns what did not
 */
export async function controls(field: Field): Promise<string[]> {
  round += 1
  const { outside, operator, demonstration } = field
  const branch = `agent/round-${round}`
  outside.github.heads.set(branch, String(round).repeat(40))
  outside.git.git(outside.git.work, 'checkout', '--quiet', '-B', branch, 'main')
  const commit = outside.git.commit({ [`round-${round}.md`]: 'A round.\n' }, `Round ${round}`)
  execFileSync('chmod', ['-R', 'o+rX', outside.git.work])
  const mail = { to: ['eva@example.org'], cc: ['ole@example.org'], subject: `Round ${round}`, text: 'All is well.\n' }
  const acts: readonly Proposal[] = [
    { kind: 'mail', connector: 'file', payload: mail },
    { kind: 'mail', connector: 'post', payload: { ...mail, bcc: ['ina@example.org'], attachments: [{ name: 'a.txt', type: 'text/plain', content: Buffer.from('A').toString('base64') }] } },
    { kind: 'webhook', connector: 'hook', payload: { body: { type: 'round', number: round } } },
    { kind: 'http.request', connector: 'api', payload: { method: 'POST', path: '/rounds', body: { number: round } } },
    { kind: 'telegram.message', connector: 'bot', payload: { text: `Round ${round}` } },
    { kind: 'pull.open', connector: 'forge', payload: { head: branch, base: 'main', title: `Round ${round}`, body: 'A round.' } },
    { kind: 'git.push', connector: 'site', payload: { branch, commit } },
    { kind: 'files.move', connector: 'tidy', payload: { folder: 'tray', moves: [{ from: round === 1 ? 'old.txt' : `old-${round - 1}.txt`, to: `old-${round}.txt` }] } },
  ]
  const before = outside.smtp.received.length
  const fates = await field.propose(acts)
  const problems: string[] = []
  for (const [index, { draft, refusal }] of fates.entries()) {
    const { kind, connector } = acts[index]!
    if (draft === undefined) problems.push(`${kind} by ${connector} could not be frozen: ${refusal}`)
    else await field.approve(draft.id, connector === 'file' ? demonstration : operator)
  }
  for (const [index, { draft }] of fates.entries()) {
    const became = draft && (await field.becomes(draft.id, 'released'))
    if (became !== undefined && !became.startsWith('released')) problems.push(`${acts[index]!.kind} by ${acts[index]!.connector} became ${became}`)
  }
  if (outside.smtp.received.length !== before + 1) problems.push(`${outside.smtp.received.length - before} mails arrived, and one was signed`)
  if (outside.git.at(branch) !== commit) problems.push('the push did not arrive')
  return problems
}
