import assert from 'node:assert/strict'
import { createReadStream, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isTrue, labelOfMail, loadHouse, resolveInput, type House, type JobDefinition } from '../src/house/index.ts'
import { alertKinds, wordsOf } from '../src/health/alert-kinds.ts'
import { assessRisk, highRisk } from '../src/outbox/risk.ts'
import { toolCatalog } from '../src/processes/tool-jobs.ts'
import { allTools } from '../src/tools/all-tools.ts'
import { readMessage } from '../src/tools/mail/parse/read-message.ts'
import { summaryOf } from '../src/tools/mail/message-summary.ts'
import { summarizeDocuments } from '../src/tools/text/summarize-documents.ts'
import type { TriageItem } from '../src/tools/text/triage-message.ts'

const folder = join(import.meta.dirname, '../house')
const slot = '2026-11-20T06:10:00.000Z'

async function starterHouse(): Promise<House> {
  const { house, problems } = await loadHouse(folder, { tools: toolCatalog(allTools), env: {} })
  assert.deepEqual(problems.filter((problem) => !problem.what.startsWith('there is no program')), [])
  return house!
}

/** The letters as mail.list hands them on to a job that reads up to P2. */
async function letters(house: House) {
  const mailbox = join(folder, 'sample/mailbox')
  const messages = []
  for (const file of readdirSync(mailbox).sort()) {
    const { envelope, text, error } = await readMessage(createReadStream(join(mailbox, file)))
    const label = labelOfMail(house, { account: 'sample', from: envelope.from.address, to: envelope.to.map(({ address }) => address), subject: envelope.subject })
    messages.push(summaryOf({
      id: `00000000-0000-4000-8000-0000000000${file.slice(0, 2)}`, account: 'sample', folder: 'INBOX', receivedAt: new Date(slot), size: 1, envelope, text, label,
      ...(error && { parseError: error }),
    }))
  }
  return messages
}

/** Runs the steps of a job that need nothing but their input; the outputs of the others are given. */
// oxlint-disable-next-line no-explicit-any -- outputs of many shapes, looked at one by one
async function walk(job: JobDefinition, given: Record<string, unknown>): Promise<Record<string, any>> {
  const steps: Record<string, { state: string; output: unknown }> = {}
  const scope = { steps, input: {}, slot, now: slot, job: { name: job.name, summary: job.summary }, prompts: job.prompts, run: { id: 'r', lane: job.lane } }
  for (const step of job.steps) {
    if (step.if !== undefined && !isTrue(step.if, scope)) {
      steps[step.id] = { state: 'skipped', output: undefined }
      continue
    }
    const tool = allTools.find(({ name }) => name === step.uses)!
    const input = tool.input.parse(resolveInput(step.with, scope))
    if (Object.hasOwn(given, step.id)) steps[step.id] = { state: 'succeeded', output: given[step.id] }
    else if (step.uses === 'model.ask') steps[step.id] = { state: 'succeeded', output: { text: summarizeDocuments(input.documents, 5).text, model: null, madeWithoutModel: true } }
    else if (step.uses.startsWith('text.')) steps[step.id] = { state: 'succeeded', output: await tool.run(undefined as never, input) }
    else steps[step.id] = { state: 'succeeded', output: input }
  }
  return Object.fromEntries(Object.entries(steps).map(([id, { output }]) => [id, output]))
}

test('the starter house has nothing wrong with it, and needs no model, account or key', async () => {
  const house = await starterHouse()
  assert.deepEqual(house.jobs.map(({ name }) => name), ['alert-watch', 'disk-report', 'house-check', 'morning-mail', 'weekly-wrap', 'yearly-inventory'])
  assert.deepEqual(house.agents.map(({ name }) => name), ['librarian', 'secretary'])
  assert.ok(house.settings.models.upstreams.every(({ zone, key }) => zone === 'machine' && key === undefined))
  for (const job of house.jobs) for (const step of job.steps) if (step.uses === 'model.ask') assert.equal(step.fallback, 'extractive', job.name)
})

test('the letters are bytes as a mail server hands them on', () => {
  const files = readdirSync(join(folder, 'sample/mailbox'))
  assert.equal(files.length, 12)
  for (const file of files) {
    const text = readFileSync(join(folder, 'sample/mailbox', file), 'latin1')
    assert.doesNotMatch(text, /[^\r]\n|\r[^\n]/, `${file}: every line ends with CR LF`)
    assert.match(text, /^Message-ID: <.+>\r$/m)
    assert.ok(text.split('\r\n').every((line) => line.length <= 998), `${file}: RFC 5322, 2.1.1`)
  }
})

test('the doctor’s letter is P3 local only, and the morning job does not read that far', async () => {
  const house = await starterHouse()
  const doctor = (await letters(house)).find(({ from }) => from.address.includes('praxis-lindenhof'))!
  assert.equal(doctor.level, 3)
  assert.equal(house.jobs.find(({ name }) => name === 'morning-mail')!.readsUpTo, 2)
})

test('the morning job answers the outage, the museum and the moved meeting, and stops what wants to deceive', async () => {
  const house = await starterHouse()
  const messages = (await letters(house)).filter(({ level }) => level <= 2)
  const output = await walk(house.jobs.find(({ name }) => name === 'morning-mail')!, { mail: { count: messages.length, messages } })
  const items: TriageItem[] = output['triage'].items
  const categoryOf = (address: string) => items.find(({ from }) => from.address.includes(address))?.category

  assert.deepEqual(output['replies'].proposals.map(({ to }: { to: string[] }) => to[0]).sort(), [
    'i.okafor@museum-ostkai.example', 'jonas@nordlicht-baeckerei.example', 'levke@nordlicht-baeckerei.example',
  ])
  assert.deepEqual(output['propose'].proposals, output['replies'].proposals)
  for (const stopped of ['kranich-hosting-billing.example', 'vendor-desk.example', 'articles.example']) assert.equal(categoryOf(stopped), 'suspicious', stopped)
  assert.equal(items.find(({ subject }) => subject.startsWith('Your hosting password'))!.category, 'suspicious')
  assert.equal(categoryOf('rechnung@kranich-hosting.example'), 'invoice')
  assert.equal(categoryOf('MAILER-DAEMON'), 'bounce')
  assert.equal(output['triage'].counts.newsletter, 2)

  const brief: string = output['save'].text
  const section = (title: string) => brief.split(`## ${title}`)[1]!.split('\n## ')[0]!
  for (const name of ['Vendor Desk', 'Corrected invoice', 'password expires', 'a second subject']) assert.ok(section('Stopped').includes(name), name)
  assert.ok(section('Wants something').includes('URGENT: our shop is down'))
  assert.ok(!brief.includes('cardiologist') && !section('In short').includes('archive@'))
  assert.match(section('In short'), /Made without a model/)
  assert.equal(output['save'].path, '2026-11-20-morning.md')
})

test('a morning without mail writes a brief and proposes nothing', async () => {
  const house = await starterHouse()
  const output = await walk(house.jobs.find(({ name }) => name === 'morning-mail')!, { mail: { count: 0, messages: [] } })
  assert.match(output['save'].text, /0 letters, 0 of them stopped/)
  assert.equal(output['propose'], undefined)
})

test('on a Monday the morning job looks back over the weekend', async () => {
  const job = (await starterHouse()).jobs.find(({ name }) => name === 'morning-mail')!
  const since = (at: string) => (resolveInput(job.steps[0]!.with, { slot: at }) as { since: string }).since
  assert.deepEqual([since('2026-11-23T06:10:00Z'), since('2026-11-24T06:10:00Z')], ['72h', '24h'])
})

test('the reports are written from a full ledger and from an empty one', async () => {
  const house = await starterHouse()
  const full = {
    late: { occurrences: [{ job: 'yearly-inventory', slot: '2026-01-02T08:00:00.000Z', state: 'missed', reason: 'Castellan was not running', closedAt: null, origin: 'schedule' }] },
    slots: { occurrences: [{ job: 'a', slot, state: 'ran', reason: null }, { job: 'b', slot, state: 'skipped', reason: 'overlap' }] },
    runs: { runs: [{ id: 'r1', job: 'disk-report', state: 'dead', error: 'sandbox.unsafe' }, { id: 'r2', job: 'a', state: 'succeeded', error: null }] },
    drafts: { drafts: [{ kind: 'mail', job: 'morning-mail', state: 'waiting', proposedAt: slot }] },
    calls: { calls: [{ task: 'summarize', calls: 3, state: 'succeeded', model: null, costEur: 0 }, { task: 'chat', calls: 1, state: 'succeeded', model: 'far', costEur: null }] },
    notes: { files: [{ path: 'public/about.md', kind: 'file', bytes: 12 }] },
    measure: { stdout: '12\t.\n' },
  }
  const empty = { late: { occurrences: [] }, slots: { occurrences: [] }, runs: { runs: [] }, drafts: { drafts: [] }, calls: { calls: [] }, notes: { files: [] }, measure: { stdout: '' } }
  const textOf = async (name: string, given: object): Promise<string> => {
    const { path, text } = (await walk(house.jobs.find((job) => job.name === name)!, { ...given }))['save']
    assert.doesNotMatch(path + text, /%[A-Za-z]|\{[{%]/, 'every date and expression was filled in')
    return text
  }
  assert.match(await textOf('house-check', full), /1 late or missed, 1 dead, 1 waiting[^]*2026-01-02 09:00 \*\*yearly-inventory\*\* missed: Castellan was not running[^]*sandbox\.unsafe/)
  assert.match(await textOf('house-check', empty), /All is well/)
  assert.match(await textOf('weekly-wrap', full), /2 slots were due, 1 ran[^]*\*\*b\*\* skipped: overlap[^]*summarize: 3 calls, succeeded, no model, 0 EUR\n- chat: 1 calls, succeeded, far, unknown price\n/)
  assert.match(await textOf('weekly-wrap', empty), /Everything that was due ran[^]*None was asked/)
  assert.match(await textOf('yearly-inventory', full), /public\/about\.md, 12 bytes/)
  assert.match(await textOf('disk-report', full), /12\t\./)
})

test('of alerts one message is said, of those that nobody knows of; of none nothing is', async () => {
  const job = (await starterHouse()).jobs.find(({ name }) => name === 'alert-watch')!
  const alert = { id: '019a0000-0000-7000-8000-00001a2b3c4d', kind: 'audit.broken', level: 'critical', state: 'open', what: 'the record is not whole: <b>chain</b>', mend: 'castellan audit verify', count: 1, lastSeen: slot }
  const said = async (...alerts: object[]) => (await walk(job, { alerts: { count: alerts.length, alerts } }))['tell']?.text as string | undefined
  assert.equal(await said(), undefined)
  assert.equal(await said({ ...alert, state: 'acknowledged' }, { ...alert, level: 'info' }), undefined)
  assert.equal(await said(alert, { ...alert, state: 'acknowledged' }), `Castellan: a security alert

CRITICAL: the record is not whole: ‹b›chain‹/b›
Seen once, last Fri 07:10. What to do: castellan audit verify
castellan alerts show 1a2b3c4d
`)
  const many = (await said(...Array.from({ length: 40 }, () => ({ ...alert, what: 'x'.repeat(400), level: 'warning', state: 'closed', count: 7 }))))!
  assert.match(many, /^Castellan: 40 security alerts, the gravest of them here; castellan alerts list has all\n\nx+\nSeen 7 times, last Fri 07:10; it is over\. /)
  assert.ok(many.length <= 4_096)
})

test('no kind of alert has words by which its message would wait although an order stands', async () => {
  const job = (await starterHouse()).jobs.find(({ name }) => name === 'alert-watch')!
  for (const { kind } of alertKinds) {
    const alert = { id: '019a0000-0000-7000-8000-00001a2b3c4d', kind, level: 'critical', state: 'open', ...wordsOf(kind, 'castellan_worker_private'), count: 2, lastSeen: slot }
    const { text } = (await walk(job, { alerts: { count: 1, alerts: [alert] } }))['tell'] as { text: string }
    const { risk, reasons } = assessRisk({
      kind: 'telegram.message', connector: 'me', label: { level: 1, integrity: 'trusted', lanes: ['private'] }, addresses: [], strangers: [], hidden: 0, attachments: 0, title: text.split('\n')[0]!, text, answered: [], sentIbans: [],
    }, [])
    assert.ok(risk < highRisk, `${kind}: ${reasons.join()}`)
  }
})
