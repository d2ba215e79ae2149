import assert from 'node:assert/strict'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { sampleDraft, stubHouse, type StubRoutes } from '../../test/support/cli.ts'

const at = '2026-11-20T06:10:00.000Z'
const id = '01a1f8e9-b586-74d9-a842-850c6d02b168'
const label = { level: 2, integrity: 'untrusted', lanes: ['private'], word: 'P2 internal' }
const run = {
  id, job: 'brief', state: 'succeeded', origin: 'manual', slot: at, lane: 'private', label, made_without_model: false, error: null,
  opened_at: at, claimed_at: at, closed_at: at, occurrence: { id, state: 'ran', reason: null }, digest: 'd', executor: 'w', not_before: null, input: {}, proposals: [],
  steps: [{ id: 'only', position: 0, tool: 'text.echo', state: 'succeeded', attempt: 1, failures: 0, started_at: at, closed_at: at, label, made_without_model: false, error: null, output: 1 }],
}
const job = {
  name: 'brief', summary: 'Writes', state: 'active', lane: 'private', label, schedules: [{ cron: '10 7 * * *', timezone: 'Europe/Berlin' }], next: at, last: null,
  digest: 'd', overlap: 'skip', missed: 'latest', tries: 3, reads_up_to: 'P2 internal', timeout_ms: 600_000, grace_ms: 60_000, steps: [],
}
const upstream = {
  name: 'ollama', kind: 'ollama', zone: 'machine', owned: null, url: 'http://x', state: 'answers', reason: null, latency_ms: 1.2, models: [{ name: 'small:latest', zone: 'machine', embedding: false }], resting: [],
  routes: [{ task: 'summarize', model: 'auto' }], calls: 0, failed: 0, input_tokens: 0, output_tokens: 0, cost_eur: 0,
}
const spend = {
  since: at, by: 'model', total_eur: 2.7, total_usd: 3, eur_per_usd: 0.9,
  lines: [{ name: 'far/m', calls: 3, input_tokens: 100, cached_tokens: 60, output_tokens: 10, reasoning_tokens: 4, cost_eur: 2.7, cost_usd: 3, unknown_price: 1 }],
  ceilings: [{ name: 'day lane open', per: 'day', limit_eur: 5, spent_eur: 2.7, held_eur: 0.5, left_eur: 2.3, percent: 54, resets_at: at, state: 'open' }],
}
const tool = { name: 'text.echo', summary: 'Says', effect: 'read', fallback: null, input: { properties: { a: {}, b: {} }, required: ['a'] }, output: {} }
const alert = {
  id, kind: 'audit.broken', level: 'critical', state: 'open', subject: 'chain', what: 'the record is not whole', mend: 'castellan audit verify names the batch', code: 'batch.7', count: 2,
  times_opened: 2, first_seen: at, last_seen: at, acknowledged_at: null, closed_at: null,
}
const today = {
  state: 'needs_you', at, since: at, timezone: 'Europe/Berlin', missed_why: 'Castellan was not running; it started later',
  counts: { needs_you: 3, ran: 4, missed: 1, cost_eur: 0, private_words_left: 0 }, drafts: [], more_drafts: 0, snoozed: [], dead: [], runs: [], not_run: [], next: [], kept_aside: 0, problems: [], alerts: [], security_alerts: [alert], more_security_alerts: 1, brief: null,
  isolation: { mode: 'demonstration', detail: 'one uid' },
}
const status = {
  state: 'ready', version: '0.1.0', started_at: at, pid: 1, house: { folder: '/h', name: 'H', digest: 'd', loaded_at: at, problems: [] }, isolation: today.isolation,
  database: { version: '18', schema: 7 }, parts: [], processes: [], webhooks: { port: 7404, declared: 1, stored_today: 2, refused_today: 3 }, runs: { queued_open: 0, queued_private: 0, running: 0, parked: 0, waiting: 0 }, alerts_open: { critical: 1, warning: 2, info: 0 }, alerts_silent: { why: 'castellan.yaml names no way to you', mend: 'castellan config explain outbox.tell' }, unsigned_machines: ['box'], fence: { at, why: 'an older copy', waiting: ['1 clearance'] },
}
const hook = {
  name: 'hub', kind: 'github', state: 'listening', problems: [], path: '/hooks/hub', secrets: ['hub'], label, events: [], jobs: ['brief'],
  today: { stored: 2, replayed: 0, unwanted: 0, refused: 3, reasons: { forged: 3 } }, waiting: 0, last_at: at,
}
const session = { id, state: 'open', browser: 'Firefox', opened_at: at, seen_at: at, expires_at: at }
const key = { id: 'ed25519:a', kind: 'ed25519', name: 'me', scope: 'operator', enrolled_at: at, last_used_at: null, revoked_at: null, until: null, passkey: null, rp_id: null }
const clientKey = { id, name: 'notes', gate: 'local', lane: 'private', max_level: 2, models: [], made_at: at, expires_at: null, revoked_at: null, last_used_on: null }

const lane = { name: 'client', worker: 'open', cloud_clearance: 1, providers: ['far'], redacts: false, cleared: [{ upstream: 'far', expires_at: null }] }
const clearance = { id, lane: 'client', upstream: 'far', url: 'https://x', level: 2, granted_at: at, expires_at: null, revoked_at: null, state: 'good' }
const order = { id, name: 'news', state: 'good', problem: null, kind: 'mail.move', connector: 'mailbox', per_day: 50, used_today: 3, used: 9, timezone: 'UTC', level: 2, granted_at: at, expires_at: null, revoked_at: null, text: 'words' }

const draft = await sampleDraft()
const server: StubRoutes = {
  'GET /api/today': { data: today }, 'GET /api/status': { data: status }, 'GET /api/doctor': { data: [{ id: 'database', status: 'ok', what: 'well' }] },
  'GET /api/jobs': { data: [job] }, 'GET /api/jobs/brief': { data: job }, 'GET /api/jobs/brief/next': { data: [{ at, cron: '10 7 * * *', timezone: 'Europe/Berlin' }] },
  'GET /api/jobs/brief/history': { data: [{ id, job: 'brief', slot: at, origin: 'schedule', state: 'missed', reason: 'down', run: null, run_state: null, closed_at: at }] },
  'POST /api/jobs/brief/run': { data: { id, job: 'brief', outcome: 'opened', state: 'queued' } },
  'POST /api/jobs/brief/pause': { data: { name: 'brief', state: 'paused' } }, 'POST /api/jobs/brief/resume': { data: { name: 'brief', state: 'active' } },
  'GET /api/runs': { data: [run] }, [`GET /api/runs/${id}`]: { data: run }, [`GET /api/runs/${id}/logs`]: { data: [{ at, step: 'only', level: 'info', message: 'm', fields: {}, label }] },
  [`POST /api/runs/${id}/retry`]: { data: { id, state: 'queued', behind: null } }, [`POST /api/runs/${id}/cancel`]: { data: { id, state: 'cancelled' } },
  'GET /api/dead': { data: [run] }, [`POST /api/dead/${id}/redrive`]: { data: { id, state: 'queued', behind: null } },
  'GET /api/tools': { data: [tool] }, 'POST /api/tools/text.echo/run': { data: { run: id, tool: 'text.echo', state: 'succeeded', output: { a: 1 }, label, made_without_model: false, error: null } },
  'GET /api/webhooks': { data: { port: 7404, webhooks: [hook], unknown: 1 } },
  'GET /api/alerts': { data: [alert] }, [`GET /api/alerts/${id}`]: { data: alert }, [`POST /api/alerts/${id}/ack`]: { data: { id, state: 'acknowledged' } },
  'GET /api/sources': { data: { reading: true, sources: [{ name: 'leads', kind: 'http', label, state: 'stale', fetched_at: at, max_age_seconds: 28_800, today: { fetched: 2, failed: 1, refused: 0, bytes: 40 }, last: { state: 'failed', reason: 'status', status: 503, at }, refused_hosts: ['evil.test:443'] }] } },
  'GET /api/batches': { data: [{ id: 'batch_0189', state: 'in_progress', key: 'notes', gate: 'local', endpoint: '/v1/embeddings', task: null, total: 5, answered: 2, failed: 1, calls: 4, cost_eur: 0, opened_at: at, window_ends_at: at, closed_at: null, label }] },
  'POST /api/batches/3a5f/cancel': { data: { id: 'batch_0189', state: 'cancelling' } },
  'GET /api/spend': { data: spend }, 'GET /api/models': { data: [upstream] }, 'POST /api/tools/model.ask/run': { data: { run: id, tool: 'model.ask', state: 'succeeded', output: { model: 'm' }, label, made_without_model: false, error: null } },
  'POST /api/signin/link': { data: { url: 'http://127.0.0.1:7400/#signin=a', exposed_url: 'https://house.example.org/#signin=a', expires_at: at } }, 'GET /api/sessions': { data: [session] },
  [`POST /api/sessions/${id}/revoke`]: { data: { id, state: 'signed_out' } },
  'POST /api/reload': { data: { fresh: true, digest: 'd', problems: [] } },
}
const releaser: StubRoutes = {
  'GET /drafts': { data: [draft] }, [`GET /drafts/${draft.id}`]: { data: draft },
  [`POST /drafts/${draft.id}/decide`]: { data: { outcome: 'decided', state: 'held', holdUntil: at } },
  [`POST /drafts/${draft.id}/edit`]: { data: { ...draft, id } }, [`POST /drafts/${draft.id}/snooze`]: { data: { outcome: 'snoozed', until: at } },
  [`POST /drafts/${draft.id}/undo`]: { data: { outcome: 'undone', draft: id } }, [`POST /drafts/${draft.id}/resolve`]: { data: { outcome: 'resolved' } },
  'GET /connectors': { data: [{ name: 'file', kind: 'file', account: '/out', refusal: null, last_problem: null, copies: { late: 0, failed: 0 } }] }, 'GET /connectors/file/reach': { data: null },
  'GET /keys': { data: [key] }, 'POST /keys/enroll': { data: key }, 'POST /keys/ed25519:a/revoke': { data: key },
  'GET /client-keys': { data: [clientKey] }, 'POST /client-keys': { data: { ...clientKey, key: 'ck_1' } }, 'POST /client-keys/notes/revoke': { data: { name: 'notes', state: 'revoked' } },
  'GET /lanes': { data: [lane] }, 'GET /clearances': { data: [clearance] }, 'POST /clearances': { data: { draft: id, risk: 8 } },
  'GET /outbox': { data: { state: 'fenced', fence: { id, at, why: 'an older copy', waiting: ['1 clearance'] }, resume: null, held: 2, next: at, unknown: 1, spent: 9 } }, 'POST /outbox/resume': { data: { draft: id, risk: 8 } },
  'GET /orders': { data: [order] }, 'POST /orders': { data: { draft: id, risk: 8 } }, 'POST /orders/revoke': { data: { id, name: 'news', state: 'revoked' } },
  'POST /clearances/revoke': { data: { lane: 'client', upstream: 'far', state: 'revoked', drafts: [] } },
  'GET /audit/verify': { data: { ok: true, sealed: 3, batches: 1, unsealed: { count: 0, oldest: null } } },
  'GET /audit/events': { data: [{ at, actor: 'castellan_server', kind: 'operator.request', subject: 'brief', detail: { request: 'job.run' } }] },
}

/** Every command with arguments that succeed, and what its data is. Those in `alone` need no running house. */
const commands: Record<string, { argv: string[]; data: 'array' | 'state' | 'object' }> = {
  today: { argv: [], data: 'state' }, status: { argv: [], data: 'state' }, doctor: { argv: [], data: 'array' }, reload: { argv: [], data: 'state' },
  signin: { argv: [], data: 'object' }, 'session list': { argv: [], data: 'array' }, 'session revoke': { argv: [id], data: 'state' },
  'job list': { argv: [], data: 'array' }, 'job show': { argv: ['brief'], data: 'state' }, 'job next': { argv: ['brief'], data: 'array' },
  'job history': { argv: ['brief'], data: 'array' }, 'job run': { argv: ['brief', '--wait', '--input', '{}', '--key', 'k'], data: 'state' },
  'job pause': { argv: ['brief'], data: 'state' }, 'job resume': { argv: ['brief'], data: 'state' },
  'run list': { argv: [], data: 'array' }, 'run show': { argv: [id], data: 'state' }, 'run logs': { argv: [id], data: 'array' },
  'run retry': { argv: [id], data: 'state' }, 'run cancel': { argv: [id, '--yes'], data: 'state' },
  'dead list': { argv: [], data: 'array' }, 'dead redrive': { argv: [id], data: 'array' },
  'source list': { argv: [], data: 'object' },
  'webhook list': { argv: [], data: 'object' }, 'webhook test': { argv: ['hub', '--dry-run'], data: 'state' },
  'tool list': { argv: [], data: 'array' }, 'tool run': { argv: ['text.echo'], data: 'state' },
  'alerts list': { argv: ['--all'], data: 'array' }, 'alerts show': { argv: [id], data: 'state' }, 'alerts ack': { argv: [id], data: 'state' },
  spend: { argv: ['--by', 'model', '--since', '7d'], data: 'object' }, 'model list': { argv: [], data: 'array' }, 'model test': { argv: [], data: 'array' },
  'model batches': { argv: [], data: 'array' }, 'model batch cancel': { argv: ['3a5f', '--yes'], data: 'state' },
  'key create': { argv: ['notes'], data: 'state' }, 'key list': { argv: [], data: 'array' }, 'key show': { argv: ['notes'], data: 'state' }, 'key revoke': { argv: ['notes', '--yes'], data: 'state' },
  connect: { argv: ['curl'], data: 'object' },
  'lane list': { argv: [], data: 'array' }, 'lane clearances': { argv: [], data: 'array' }, 'lane clear': { argv: ['client', '--upstream', 'far', '--level', 'P2'], data: 'state' },
  'lane unclear': { argv: ['client', '--upstream', 'far'], data: 'state' }, 'model own': { argv: ['box'], data: 'state' }, 'model disown': { argv: ['box'], data: 'state' },
  'outbox status': { argv: [], data: 'state' }, 'outbox resume': { argv: [], data: 'state' },
  'order list': { argv: [], data: 'array' }, 'order show': { argv: ['news'], data: 'state' }, 'order revoke': { argv: ['news'], data: 'state' },
  'order propose': { argv: ['news', '--kind', 'mail.move', '--connector', 'mailbox', '--per-day', '50', '--senders', 'a@b.example', '--from', 'INBOX', '--to', 'News', '--expires', '90d'], data: 'state' },
  'draft list': { argv: [], data: 'array' }, 'draft show': { argv: [draft.id], data: 'state' }, 'draft approve': { argv: [draft.id, '--yes'], data: 'state' },
  'draft edit': { argv: [draft.id, '--subject', 'Neu'], data: 'state' }, 'draft snooze': { argv: [draft.id, '--until', '2h'], data: 'state' },
  'draft deny': { argv: [draft.id], data: 'state' }, 'draft undo': { argv: [draft.id], data: 'state' },
  'draft resolve': { argv: [draft.id, '--outcome', 'failed', '--reason', 'looked'], data: 'state' },
  'audit verify': { argv: [], data: 'state' }, 'audit show': { argv: [], data: 'array' },
  'operator enroll': { argv: ['--key', 'demonstration'], data: 'state' }, 'operator revoke': { argv: ['me', '--yes'], data: 'state' },
}
const alone: typeof commands = {
  init: { argv: ['--dry-run'], data: 'state' }, 'config check': { argv: [], data: 'array' }, 'secrets render': { argv: [], data: 'object' }, 'secrets status': { argv: [], data: 'array' }, 'secrets scan': { argv: ['--no-history'], data: 'state' }, 'config explain': { argv: ['outbox.hold'], data: 'object' },
  'operator init': { argv: ['--dry-run'], data: 'state' }, 'operator list': { argv: [], data: 'array' }, 'database sql': { argv: [], data: 'object' }, completion: { argv: ['bash'], data: 'object' }, 'expose token': { argv: ['phone'], data: 'object' },
}
/** Tried by the journeys, on a house that really starts. */
const started = ['up', 'down', 'secrets rotate']
/** Tried in service.test.ts: they are about the whole machine. */
const ofMachine = ['service install', 'service status', 'service uninstall']

test('every command is in this table', async (t) => {
  const { run } = await stubHouse(t)
  const { script } = (await run(['completion', 'bash', '--json'])).json<{ script: string }>().data
  const known = [...script.matchAll(/^ {4}'([^']+)'\) COMPREPLY/gm)].map(([, path]) => path!)
  const leaves = known.filter((path) => !known.some((other) => other.startsWith(`${path} `)))
  assert.deepEqual(leaves.sort(), [...Object.keys(commands), ...Object.keys(alone), ...started, ...ofMachine].sort())
})

for (const [name, { argv, data }] of Object.entries({ ...commands, ...alone })) {
  test(`${name}: with --json one envelope on stdout and nothing else; without it text on stdout`, async (t) => {
    const house = await stubHouse(t, { server, releaser })
    const { createIdentity } = await import('../outbox/index.ts')
    await createIdentity(join(house.home, 'operator'), { name: 'demonstration', scope: 'demonstration' })
    mkdirSync(join(house.home, 'house'))
    writeFileSync(join(house.home, 'house', 'castellan.yaml'), 'name: H\n')
    const told = await house.run([...name.split(' '), ...argv, '--json'])
    const envelope = told.json()
    assert.deepEqual([told.exit, envelope.ok, told.stderr, Object.keys(envelope)], [0, true, '', ['ok', 'data']], told.stdout)
    if (data === 'array') assert.ok(Array.isArray(envelope.data))
    else if (data === 'state') assert.equal(typeof envelope.data.state, 'string')
    else assert.equal(typeof envelope.data, 'object')
    const text = await house.run([...name.split(' '), ...argv])
    assert.equal(text.exit, 0, text.stderr)
    assert.notEqual(text.stdout.trim(), '')
    assert.doesNotMatch(text.stdout, /\u001b/, 'no colours off a terminal')
    if (name !== 'tool run') assert.doesNotMatch(text.stdout, /^[{[]/)
  })
}

for (const [name, { argv }] of Object.entries(commands)) {
  test(`${name}: says that nothing runs, exit 5`, async (t) => {
    const { run } = await stubHouse(t)
    const text = await run([...name.split(' '), ...argv])
    assert.equal(text.exit, 5)
    assert.match(text.stderr, /Castellan is not running here; start it with `npm start` or `castellan up`/)
    const { exit, stderr, json } = await run([...name.split(' '), ...argv, '--json'])
    assert.deepEqual([exit, stderr, json().ok, json().error.code], [5, '', false, 'up.missing'])
  })
}

test('alerts say what to do, and status and today that there are some', async (t) => {
  const { run, asked } = await stubHouse(t, { server })
  const said = async (...argv: string[]) => (await run(argv)).stdout
  assert.match(await said('alerts', 'list'), /LEVEL[^]*critical +open +audit\.broken +chain +2/)
  assert.match(await said('alerts', 'show', id), /to do +castellan audit verify[^]*audit\.broken \(batch\.7\)[^]*2 times[^]*came back 1 time/)
  assert.match(await said('status'), /alerts +1 critical, 2 warning, not acknowledged; castellan alerts list/)
  assert.match(await said('status'), /untold +alerts reach nobody: castellan\.yaml names no way to you; castellan config explain outbox\.tell/)
  assert.match(await said('today'), /Look at this[^]*the record is not whole[^]*and 1 more \(castellan alerts list\)/)
  assert.match(await said('alerts', 'ack', id, '--dry-run'), /would acknowledge audit\.broken/)
  assert.ok(!asked.some(({ route }) => route.startsWith('POST')))
})

test('what the house answers decides the exit code', async (t) => {
  const exits = [[400, 2], [403, 4], [404, 1], [409, 6], [500, 1], [503, 5], [504, 1]] as const
  for (const [status, exit] of exits) {
    const { run } = await stubHouse(t, { server: { 'GET /api/today': { status, code: 'some.code', message: 'some message', details: { a: 1 } } } })
    const { exit: found, json } = await run(['today', '--json'])
    assert.deepEqual([found, json()], [exit, { ok: false, error: { code: 'some.code', message: 'some message', details: { a: 1 } } }])
    const text = await run(['today'])
    assert.deepEqual([text.stdout, text.stderr], ['', 'castellan: some message\n'])
  }
})

test('a socket that nobody listens on is a house that does not run; an answer that is no JSON is a defect', async (t) => {
  const gone = await stubHouse(t, {}, { sockets: { server: '/nowhere/s', releaser: '/nowhere/r' } })
  assert.equal((await gone.run(['today'])).exit, 5)
})

test('wrong usage is exit 2, said in the envelope when --json is among the words', async (t) => {
  const { run } = await stubHouse(t)
  for (const argv of [['nope'], ['job'], ['job', 'nope'], ['job', 'run'], ['job', 'run', 'a', 'b'], ['job', 'list', '--nope'], ['job', 'run', 'a', '--input', '[1]'], ['run', 'list', '--limit', 'many'], ['dead', 'redrive'], ['draft', 'resolve', 'x', '--outcome', 'maybe', '--reason', 'y']]) {
    const text = await run(argv)
    assert.equal(text.exit, 2, argv.join(' '))
    assert.equal(text.stdout, '')
    assert.notEqual(text.stderr, '')
    const { exit, stderr, json } = await run([...argv, '--json'])
    assert.deepEqual([exit, stderr, json().ok], [2, '', false], argv.join(' '))
    assert.match(json().error.code, /^usage/)
  }
})

test('help and version are no failures', async (t) => {
  const { run } = await stubHouse(t)
  for (const argv of [['--version'], ['--help'], [], ['job', '--help'], ['help', 'job'], ['job', 'run', '--help']]) {
    const { exit, stdout, stderr } = await run(argv)
    assert.deepEqual([exit, stderr], [0, ''], argv.join(' '))
    assert.notEqual(stdout, '')
  }
})

test('on a terminal there are colours, unless NO_COLOR says no', async (t) => {
  const { run } = await stubHouse(t, { server })
  assert.match((await run(['job', 'list'], { tty: true })).stdout, /\u001b\[32mactive/)
  assert.doesNotMatch((await run(['job', 'list'], { tty: true, env: { NO_COLOR: '1' } })).stdout, /\u001b/)
  assert.doesNotMatch((await run(['job', 'list'], { tty: true, env: { TERM: 'dumb' } })).stdout, /\u001b/)
})

test('what a stranger wrote cannot command the terminal, in text and in JSON', async (t) => {
  const { run } = await stubHouse(t, { server: { 'GET /api/runs': { data: [{ id, job: 'a', state: 'dead', origin: 'manual', slot: at, opened_at: at, closed_at: at, label, error: { code: 'x', message: '\u001b]0;owned\u0007\u202E' } }] } } })
  for (const argv of [['run', 'list'], ['run', 'list', '--json']]) assert.doesNotMatch((await run(argv)).stdout, /[\u0007\u001b\u202E]/)
  assert.equal((await run(['run', 'list', '--json'])).json<{ error: { message: string } }[]>().data[0]!.error.message, '\u001b]0;owned\u0007\u202E')
})

test('the first line of the morning says all that matters', async (t) => {
  const { run } = await stubHouse(t, { server })
  const { stdout } = await run(['today'])
  assert.equal(stdout.split('\n')[0], '3 need you · 4 ran · 1 missed (Castellan was not running) · EUR 0.00 · 0 private words left')
})

test('commands are told as they can be typed: through npx where npm started the program, and never in JSON', async (t) => {
  const problem = { file: 'a.yaml', line: 1, column: 1, severity: 'warning', what: 'castellan is spelled wrong', instead: 'right' }
  const broken = { ...status, house: { ...status.house, problems: [problem] } }
  const { run: call } = await stubHouse(t, { releaser, server: {
    ...server, 'GET /api/status': { data: broken }, 'GET /api/today': { data: { ...today, problems: [problem] } },
    'GET /api/doctor': { data: [{ id: 'models', status: 'warn', what: 'castellan is slow', mend: 'castellan model list' }] },
  } })
  const told = { doctor: /castellan is slow +npx castellan model list/, status: /; npx castellan config check/, today: /\(npx castellan config check\)[^]*castellan is spelled wrong/ }
  for (const [command, expected] of Object.entries(told)) {
    const { stdout } = await call([command], { env: { npm_command: 'exec' } })
    assert.match(stdout, expected)
    assert.doesNotMatch(stdout, /npx castellan is/)
    assert.doesNotMatch((await call([command])).stdout, /npx/)
    assert.doesNotMatch((await call([command, '--json'], { env: { npm_command: 'exec' } })).stdout, /npx/)
  }
})

test('times are told in the zone of the house', async (t) => {
  const { run } = await stubHouse(t, { server })
  const { stdout } = await run(['run', 'list'], { now: new Date('2026-11-20T12:00:00Z') })
  assert.match(stdout, / 07:10 /)
})

test('a watched run ends the command as it ended: 0, 1 when dead, 7 when it waits for the operator', async (t) => {
  const states = [['succeeded', 0, undefined], ['dead', 1, 'test.down'], ['cancelled', 1, 'run.cancelled'], ['parked', 7, 'run.parked']] as const
  for (const [state, exit, code] of states) {
    const error = state === 'dead' ? { code: 'test.down', message: 'it is down' } : null
    const { run: call } = await stubHouse(t, { server: { ...server, [`GET /api/runs/${id}`]: { data: { ...run, state, error } } } })
    const { exit: found, json } = await call(['job', 'run', 'brief', '--wait', '--json'])
    assert.deepEqual([found, json().ok, json().data.state, json().error?.code], [exit, exit === 0, state, code])
  }
})

test('what was spent is told with what is left, and what nobody knows', async (t) => {
  const { run: call, asked } = await stubHouse(t, { server })
  const { stdout } = await call(['spend', '--by', 'model'])
  assert.match(stdout, /^EUR 2\.70 since .*, and 1 call whose price nobody knows\n/)
  assert.match(stdout, /MODEL[^]*far\/m +3 +100 \(60 cached\) +10 \(4 reasoning\) +EUR 2\.70/)
  assert.match(stdout, /day lane open +open +EUR 5\.00 +EUR 2\.70 \(54 %\) +EUR 0\.50 +EUR 2\.30/)
  assert.deepEqual(asked.map(({ route, query }) => [route, query]), [['GET /api/spend', { by: 'model' }]])
})

test('models are listed with what they have, and who does not answer with the reason and its address', async (t) => {
  const elsewhere = { name: 'large:cloud', zone: 'cloud', embedding: false }
  const vectors = { name: 'embed', zone: 'machine', embedding: true }
  const many = Array.from({ length: 9 }, (_, index) => ({ name: `m${index}`, zone: 'machine', embedding: false }))
  const silent = { ...upstream, name: 'far', state: 'silent', reason: 'upstream far cannot be reached', latency_ms: 3, models: [], routes: [] }
  const { run: call, asked } = await stubHouse(t, { server: { 'GET /api/models': { data: [{ ...upstream, models: [elsewhere, vectors] }, { ...upstream, name: 'box', models: many }, silent] } } })
  const { stdout } = await call(['model', 'list'])
  assert.match(stdout, /ollama +answers +machine +2 ms +large:cloud \(cloud\), embed \(embeddings\) +summarize: auto/)
  assert.match(stdout, /m4, m5, 3 more /)
  assert.match(stdout, /far +silent[^]*\n\nfar \(ollama, http:\/\/x\): upstream far cannot be reached\n$/)
  assert.deepEqual(asked.map(({ route, query }) => [route, query]), [['GET /api/models', { fresh: '1' }]])
})

test('progress goes to the stderr of a terminal, and nowhere else', async (t) => {
  const { run: call } = await stubHouse(t, { server })
  assert.match((await call(['job', 'run', 'brief', '--wait'], { tty: true, env: { NO_COLOR: '1' } })).stderr, /succeeded +only \(text\.echo\)/)
  assert.equal((await call(['job', 'run', 'brief', '--wait'])).stderr, '')
  assert.equal((await call(['job', 'run', 'brief', '--wait', '--json'], { tty: true })).stderr, '')
})

test('what a tool returns can be piped on: its output alone on stdout', async (t) => {
  const { run: call, asked } = await stubHouse(t, { server })
  const { stdout, stderr } = await call(['tool', 'run', 'text.echo', '--input', '{"a":1}'])
  assert.deepEqual(JSON.parse(stdout), { a: 1 })
  assert.match(stderr, /text\.echo, run 6d02b168, P2 internal/)
  assert.deepEqual(asked[0]!.body, { input: { a: 1 }, wait: 120 })
})

test('several runs of which some cannot be taken up again are partly done', async (t) => {
  const { run: call } = await stubHouse(t, { server })
  const { exit, json } = await call(['dead', 'redrive', id, 'ffff', '--json'])
  assert.deepEqual([exit, json().error.code, json<{ state: string }[]>().data.map(({ state }) => state)], [7, 'dead.partial', ['queued', 'failed']])
})

test('a run that has to wait for another is said to, by the name of the other', async (t) => {
  const waiting = { data: { id, state: 'waiting', behind: '01a1f8e9-0000-7000-8000-00000000aaaa' } }
  const { run: call } = await stubHouse(t, { server: { ...server, [`POST /api/runs/${id}/retry`]: waiting, [`POST /api/dead/${id}/redrive`]: waiting } })
  for (const command of ['run retry', 'dead redrive']) {
    const { exit, stdout } = await call([...command.split(' '), id])
    assert.equal(exit, 0)
    assert.match(stdout, /run 6d02b168 waits behind run 0000aaaa of its job, which is not finished/)
  }
  assert.match((await call(['run', 'retry', id, '--wait'])).stderr, /waits behind run 0000aaaa/)
})

test('what would be done is said, and nothing is asked for', async (t) => {
  const dry = ['job run brief', 'job pause brief', `run retry ${id}`, `run cancel ${id}`, 'dead redrive --all', 'tool run text.echo', `draft deny ${draft.id}`, `draft undo ${draft.id}`, 'reload', 'operator enroll', 'operator revoke me']
  for (const line of dry) {
    const { run: call, asked } = await stubHouse(t, { server, releaser })
    const { exit, json } = await call([...line.split(' '), '--dry-run', '--json'])
    assert.deepEqual([exit, [json().data].flat()[0]?.state], [0, 'dry_run'], line)
    assert.deepEqual(asked.filter(({ route }) => route.startsWith('POST')), [], line)
  }
})

test('a part of a draft id that means two is a conflict', async (t) => {
  const { run: call } = await stubHouse(t, { releaser: { 'GET /drafts': { data: [{ id: '01a1f8e9-0000-7000-8000-00000000aaaa' }, { id: '01a1f8e9-0000-7000-8000-11110000aaaa' }] } } })
  assert.equal((await call(['draft', 'show', '0000aaaa', '--json'])).json().error.code, 'draft.ambiguous')
  assert.equal((await call(['draft', 'show', 'ffffffff', '--json'])).json().error.code, 'draft.missing')
  assert.equal((await call(['draft', 'show', '../keys', '--json'])).json().error.code, 'draft.id')
})

test('a broken house is exit 3, each problem with its place and what would be right', async (t) => {
  const { run: call, home } = await stubHouse(t)
  cpSync(join(import.meta.dirname, '..', '..', 'house'), join(home, 'house'), { recursive: true })
  assert.equal((await call(['config', 'check'])).exit, 0)
  writeFileSync(join(home, 'house', 'jobs', 'broken.yaml'), 'summary: s\nlane: nowhere\nsteps:\n  - id: a\n    uses: mail.lst\n')
  const { exit, stdout } = await call(['config', 'check', join(home, 'house')])
  assert.equal(exit, 3)
  assert.match(stdout, /^jobs\/broken\.yaml:2:\d+ error: .*nowhere.* → /m)
  assert.match(stdout, /^jobs\/broken\.yaml:5:\d+ error: .*mail\.lst.* → /m)
})

test('init makes a house once', async (t) => {
  const { run: call, home } = await stubHouse(t)
  const { exit, json } = await call(['init', '--json'])
  assert.deepEqual([exit, json().data.folder], [0, join(home, 'house')])
  assert.equal((await call(['init', '--json'])).exit, 6)
})
