import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Fault } from '../../kernel/fault.ts'
import type { Invocation } from '../command/add-command.ts'
import { outcome, type Outcome } from '../command/outcome.ts'
import { distance, shortId } from '../terminal/wording.ts'
import { addressesIn, readForm, writeForm, type Words } from './edit-form.ts'
import { findDraft, type ReleaserDraft } from './releaser-draft.ts'
import { verifyDraft, type VerifiedDraft } from './verify-draft.ts'

export interface EditOptions {
  readonly text?: string
  readonly subject?: string
  readonly to?: string[]
  readonly cc?: string[]
  readonly bcc?: string[]
}

/** Changes the words of a waiting draft, in the operator's editor or by options: a new draft waits in its place. */
export async function editDraft(invocation: Invocation<EditOptions>): Promise<Outcome> {
  const { args, options, here } = invocation
  const releaser = await invocation.releaser()
  const shown = await findDraft(releaser, args[0]!)
  const verified = await verifyDraft(shown)
  if (shown.state !== 'waiting') throw new Fault('conflict', 'draft.too_late', `draft ${shortId(shown.id)} is ${shown.state} already; only one that waits can be edited`)
  const before: Words = { recipients: verified.document.recipients, subject: verified.document.title, text: verified.text }
  const words = hasWords(options) ? await wordsOf(options, before) : await wordsFromEditor(invocation, verified, before)
  if (JSON.stringify(words) === JSON.stringify(before)) return outcome({ id: shown.id, state: shown.state, successor: null }, () => 'Nothing was changed; the draft still waits.')
  if (options.dryRun) return outcome({ id: shown.id, state: 'dry_run', would: `would replace draft ${shortId(shown.id)}`, ...words }, (data) => data.would)
  // the challenge was computed here: what is replaced is what was shown
  const fresh = await releaser.post<ReleaserDraft>(`/drafts/${shown.id}/edit`, { challenge: verified.challenge.toString('hex'), ...words })
  return outcome({ id: shown.id, state: 'replaced', successor: fresh.id, risk: fresh.risk, expires_at: fresh.expires_at }, (data) =>
    `Draft ${shortId(data.id)} is replaced by ${shortId(data.successor)}, risk ${data.risk}/10, which expires ${distance(data.expires_at, here)}.\nSign it: castellan draft approve ${shortId(data.successor)}`)
}

function hasWords({ text, subject, to, cc, bcc }: EditOptions): boolean {
  return [text, subject, to, cc, bcc].some((one) => one !== undefined)
}

async function wordsOf({ text, subject, to, cc, bcc }: EditOptions, before: Words): Promise<Words> {
  const addresses = (given: string[] | undefined, kept: readonly string[]) => given?.flatMap(addressesIn).filter((address) => address !== '') ?? kept
  return {
    recipients: { to: addresses(to, before.recipients.to), cc: addresses(cc, before.recipients.cc), bcc: addresses(bcc, before.recipients.bcc) },
    subject: subject ?? before.subject,
    text: text === undefined ? before.text : await readText(text),
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path === '-' ? '/dev/stdin' : path, 'utf8')
  } catch (error) {
    throw new Fault('invalid', 'draft.text', `the text could not be read from ${path}: ${(error as Error).message}`, {}, error)
  }
}

async function wordsFromEditor({ io, options }: Invocation<EditOptions>, { document }: VerifiedDraft, before: Words): Promise<Words> {
  const editor = io.env['VISUAL'] || io.env['EDITOR']
  if (options.input === false || (editor === undefined && io.stdin.isTTY !== true)) {
    throw new Fault('invalid', 'ask.nobody', 'nobody can edit here: give --text FILE, --subject, --to, --cc or --bcc, or set $EDITOR')
  }
  // readable for this user alone, and gone afterwards: it holds what the draft holds
  const folder = await mkdtemp(join(tmpdir(), 'castellan-edit-'))
  const path = join(folder, `draft-${shortId(document.id)}.txt`)
  try {
    const kept = document.attachments.length === 0 ? '' : `\nStays attached: ${document.attachments.map(({ name }) => name).join(', ')}`
    await writeFile(path, writeForm(before, `Draft ${shortId(document.id)}. One address a line. Save and leave the editor; without a change nothing happens.${kept}`), { mode: 0o600 })
    await runEditor(editor ?? 'vi', path)
    return readForm(await readFile(path, 'utf8'))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Through the shell, because $EDITOR may hold arguments; the path comes as one of its own. Our stdout is for data alone. */
function runEditor(editor: string, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', `${editor} "$1"`, 'sh', path], { stdio: ['inherit', 2, 2] })
    child.on('error', (error) => reject(new Fault('invalid', 'draft.editor', `the editor could not be started: ${error.message}`, {}, error)))
    child.on('exit', (code) => {
      if (code === 0) resolve()
      else reject(new Fault('invalid', 'draft.editor', `the editor "${editor}" ended with ${code ?? 'a signal'}; nothing was changed`))
    })
  })
}
