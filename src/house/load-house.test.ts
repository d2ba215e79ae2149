import assert from 'node:assert/strict'
import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { houseFolder, jobText, problemsIn, problemsOf, someTools } from '../../test/support/house-folder.ts'
import { loadHouse } from './index.ts'

const now = new Date('2026-11-20T08:00:00Z')

test('an empty castellan.yaml is a house with every default', async (t) => {
  const { house, problems } = await loadHouse(houseFolder(t), { tools: someTools, env: {} })
  assert.deepEqual(problems, [])
  assert.deepEqual(house!.settings.ports, { server: 7400, releaser: 7401, gateLocal: 7402, gateCloud: 7403, webhooks: null })
  assert.equal(house!.settings.outbox.holdMs, 10_000)
  assert.deepEqual(house!.settings.outbox.expiryMs, { mail: 259_200_000, highRisk: 1_800_000, default: 86_400_000 })
  assert.deepEqual(house!.lanes.map(({ name, worker, cloudClearance, providers }) => [name, worker, cloudClearance, providers]), [
    ['house', 'private', 1, ['ollama']], ['open', 'open', 1, ['ollama']], ['private', 'private', -1, ['ollama']],
  ])
  assert.deepEqual(house!.settings.folders.map(({ name, label }) => [name, label]), [
    ['vault', { level: 2, integrity: 'trusted', lanes: ['house'] }], ['briefs', { level: 2, integrity: 'trusted', lanes: ['house'] }],
  ])
  assert.deepEqual(JSON.parse(JSON.stringify(house)), house, 'the house is plain JSON')
})

test('a job becomes a definition with its defaults, its prompts and a digest', async (t) => {
  const folder = houseFolder(t, {
    'castellan.yaml': 'timezone: Europe/Berlin\n',
    'prompts/brief.liquid': 'Brief of {{ date }}',
    'prompts/unused.liquid': 'nobody reads me',
    'jobs/brief.yaml': jobText('on: { schedule: [ { cron: "10 7 * * 1-5" }, { cron: "0 9 * * 6", timezone: UTC } ] }\nsince: 2026-01-01\ngrace: 1h30m\n',
      '  - { id: mail, uses: mail.list, with: { since: 24h } }\n  - { id: text, uses: text.template, if: "{{ steps.mail.output.count > 0 }}", with: { template: "{{ prompts.brief }}", data: { date: "{{ slot }}" } } }'),
  })
  const { house, problems } = await loadHouse(folder, { tools: someTools, env: {}, now })
  assert.deepEqual(problems, [])
  const [job] = house!.jobs
  assert.deepEqual({ ...job, steps: job!.steps.length, digest: '' }, {
    name: 'brief', summary: 'A job', lane: 'private', label: { level: 1, integrity: 'trusted', lanes: ['private'] }, readsUpTo: 2,
    schedules: [{ cron: '10 7 * * 1-5', timezone: 'Europe/Berlin' }, { cron: '0 9 * * 6', timezone: 'UTC' }],
    since: '2026-01-01T00:00:00.000Z', timeoutMs: 600_000, tries: 3, overlap: 'skip', missed: 'latest', graceMs: 5_400_000,
    steps: 2, prompts: { brief: 'Brief of {{ date }}' }, digest: '',
  })
})

test('the digest of a job changes with its prompt, and with nothing else of the house', async (t) => {
  const files = {
    'prompts/brief.liquid': 'one', 'prompts/other.liquid': 'one',
    'jobs/brief.yaml': jobText('', '  - { id: text, uses: text.template, with: { template: "{{ prompts.brief }}" } }'),
  }
  const folder = houseFolder(t, files)
  const load = async () => (await loadHouse(folder, { tools: someTools, env: {} })).house!
  const first = await load()
  writeFileSync(join(folder, 'prompts/other.liquid'), 'two')
  const second = await load()
  writeFileSync(join(folder, 'prompts/brief.liquid'), 'two')
  const third = await load()
  assert.equal(second.jobs[0]!.digest, first.jobs[0]!.digest)
  assert.notEqual(third.jobs[0]!.digest, first.jobs[0]!.digest)
  assert.equal(new Set([first.digest, second.digest, third.digest]).size, 3)
  assert.equal((await load()).digest, third.digest)
})

test('every problem of every file is reported at once, each with its place', async (t) => {
  const problems = await problemsOf(t, {
    'castellan.yaml': 'name: House\ntimezon: Europe/Berlin\noutbox:\n  hold: 10 seconds\n',
    'labels.yaml': '- { folder: volt/public, label: P0 }\n',
    'jobs/a.yaml': jobText('lane: privat\n', '  - { id: mail, uses: mail.lst }'),
    'jobs/b.yaml': 'summary: no steps\n',
    'agents/c.yaml': 'summary: An agent\ntools: [mail.send]\n',
    'prompts/d.liquid': 'fine\n{{ broken',
  })
  assert.deepEqual(problems.map((problem) => problem.split(' ')[0]), [
    'agents/c.yaml:2:9', 'castellan.yaml:2:1', 'castellan.yaml:4:9', 'jobs/a.yaml:2:7', 'jobs/a.yaml:4:23', 'jobs/b.yaml:1:1', 'labels.yaml:1:13', 'prompts/d.liquid:2:1',
  ])
  assert.match(problems[1]!, /there is no key timezon → did you mean timezone\?/)
  assert.match(problems[2]!, /"10 seconds" is not a duration.*→ write a number and a unit, e\.g\. 10s/)
  assert.match(problems[3]!, /the lane privat is not declared → did you mean private\?/)
  assert.match(problems[4]!, /there is no tool mail\.lst → did you mean mail\.list\?/)
  assert.match(problems[5]!, /steps is missing → One after the other/)
  assert.match(problems[6]!, /the folder volt is not declared in castellan\.yaml → did you mean vault\?/)
})

test('a folder without castellan.yaml is no house, and is not blamed for its defaults', async (t) => {
  const folder = houseFolder(t)
  rmSync(join(folder, 'castellan.yaml'))
  assert.deepEqual(await problemsIn(folder), ['castellan.yaml:0:0 this file is missing → make it, or make a new house with `castellan init FOLDER`'])
})

test('symbolic links, big files and files that are not text are refused, files with another ending named', async (t) => {
  const folder = houseFolder(t, {
    'jobs/big.yaml': `summary: "${'x'.repeat(300_000)}"`,
    'jobs/latin.yaml': new Uint8Array([0x73, 0x3a, 0x20, 0xfc]),
    'jobs/other.yml': jobText(),
    'jobs/.hidden': 'not read',
  })
  symlinkSync('/etc/passwd', join(folder, 'jobs/link.yaml'))
  assert.deepEqual((await problemsIn(folder)).map((problem) => problem.replace(/ →.*/, '')), [
    'jobs/big.yaml:0:0 this file has 300011 bytes, and a file of the house has at most 262144',
    'jobs/latin.yaml:0:0 this file is not UTF-8 text',
    'jobs/link.yaml:0:0 this is a symbolic link',
    'jobs/other.yml:0:0 this file is not read: files in jobs end in .yaml',
  ])
})

test('a budget for a job that is not there is a problem, and one for a job whose file is broken is not a second', async (t) => {
  const of = (job: string) => `models: { budgets: [{ per: day, eur: 1, job: ${job} }] }\n`
  const brief = jobText('', '  - { id: mail, uses: mail.list, with: { since: 24h } }')
  const problems = await problemsOf(t, { 'castellan.yaml': of('breif'), 'jobs/brief.yaml': brief })
  assert.match(problems.join('\n'), /^castellan\.yaml:1:\d+ a budget is for the job breif, which is not declared → did you mean brief\?$/)
  assert.deepEqual(await problemsOf(t, { 'castellan.yaml': of('brief'), 'jobs/brief.yaml': brief }), [])
  assert.ok((await problemsOf(t, { 'castellan.yaml': of('brief'), 'jobs/brief.yaml': 'steps: 5\n' })).every((problem) => !problem.includes('a budget is for')))
})

test('two jobs cannot have one name, and two steps not one id', async (t) => {
  const problems = await problemsOf(t, {
    'jobs/brief.yaml': jobText('', '  - { id: mail, uses: mail.list }\n  - { id: mail, uses: mail.list }'),
    'jobs/other.yaml': jobText('name: brief\n'),
    'jobs/Loud Name.yaml': jobText(),
  })
  assert.deepEqual(problems.map((problem) => problem.replace(/ →.*/, '')), [
    'jobs/Loud Name.yaml:1:1 Loud Name is not a name',
    'jobs/brief.yaml:4:11 a step before this one is already called mail',
    'jobs/other.yaml:2:7 jobs/brief.yaml already has the name brief',
  ])
})

test('the words of the dictionary are loaded with what they are, and each stands there once', async (t) => {
  const folder = houseFolder(t, { 'dictionary.yaml': 'names: [Anna Arendt, { word: Bernd Becker, also: [Berni] }]\nprojects: [Nordlicht]\n' })
  assert.deepEqual((await loadHouse(folder, { tools: someTools })).house!.dictionary, [
    { kind: 'name', words: ['Anna Arendt'] }, { kind: 'name', words: ['Bernd Becker', 'Berni'] }, { kind: 'project', words: ['Nordlicht'] },
  ])
  const problems = await problemsOf(t, { 'dictionary.yaml': 'names: [Anna, a, Mail Address]\nclients: [{ word: anna, also: [] }]\nfriends: []\n' })
  assert.match(problems.join('\n'), /dictionary\.yaml:3:.*friends/)
  assert.match(problems.join('\n'), /at least two letters/)
  const more = await problemsOf(t, { 'dictionary.yaml': 'names: [Anna, Mail Address]\nclients: [{ word: anna, also: [] }]\n' })
  assert.deepEqual(more.map((problem) => problem.replace(/ →.*/, '')), [
    'dictionary.yaml:1:15 Mail Address is a word of what stands for others, such as [[CLIENT_1]]', 'dictionary.yaml:2:11 anna stands under names already',
  ])
})

test('no secret and no password stands in a house that was loaded', async (t) => {
  const roles = ['owner', 'server', 'releaser', 'gate_local', 'gate_cloud', 'worker_open', 'worker_private']
  const urls = (url: (role: string) => string) => `database:\n  zone: machine\n  urls:\n${roles.map((role) => `    ${role}: ${url(role)}\n`).join('')}`
  assert.equal((await problemsOf(t, { 'castellan.yaml': urls((role) => `postgresql://${role}:hunter2@db.example/castellan`) })).filter((one) => /a password does not belong into the house/.test(one)).length, 7)
  assert.match((await problemsOf(t, { 'castellan.yaml': urls(() => 'postgresql://one@db.example/castellan') })).join('\n'), /server and owner would be the same database user one/)
  assert.match((await problemsOf(t, { 'castellan.yaml': urls((role) => `postgresql://${role}@db.example/castellan`).replace('  zone: machine\n', '') })).join('\n'), /database\.zone is missing/)
  assert.deepEqual(await problemsOf(t, { 'castellan.yaml': urls((role) => `{ secret: database_${role} }`) }), [])
})

test('a port of the environment stands above the file, and nonsense in it is a problem', async (t) => {
  const folder = houseFolder(t, { 'castellan.yaml': 'ports: { server: 8000, releaser: 8001 }\n' })
  const { house } = await loadHouse(folder, { tools: someTools, env: { CASTELLAN_PORT_SERVER: '0', CASTELLAN_PORT_RELEASER: '9001' }, ports: { releaser: 9002 } })
  assert.deepEqual(house!.settings.ports, { server: 0, releaser: 9002, gateLocal: 7402, gateCloud: 7403, webhooks: null })
  const { house: none, problems } = await loadHouse(folder, { tools: someTools, env: { CASTELLAN_PORT_GATE_CLOUD: '70000' } })
  assert.equal(none, undefined)
  assert.match(problems[0]!.what, /CASTELLAN_PORT_GATE_CLOUD is "70000", which is not a port/)
})

test('the page about the configuration is what the schemas say', async () => {
  const { configurationDoc } = await import('./configuration-doc.ts')
  assert.equal(readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8'), configurationDoc())
})
