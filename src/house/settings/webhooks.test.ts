import assert from 'node:assert/strict'
import { test } from 'node:test'
import { houseFolder, jobText, problemsIn, problemsOf, someTools } from '../../../test/support/house-folder.ts'
import { loadHouse } from '../index.ts'

const webhook = (more = '', name = 'hub') => `webhooks: { ${name}: { kind: github, secrets: [ { secret: ${name} } ]${more} } }\n`
const lanes = 'lanes: { private: {}, open: { worker: open, cloud_clearance: P1 }, client: { worker: open, cloud_clearance: P1 } }\n'

const wrong: Record<string, { yaml: string; what: RegExp }> = {
  'a kind that does not exist': { yaml: 'webhooks: { hub: { kind: gitlab, secrets: [ { secret: a } ] } }\n', what: /webhooks\.hub\.kind cannot be "gitlab" → (did you mean|one of)/ },
  'a webhook that nobody has to sign': { yaml: 'webhooks: { hub: { kind: github } }\n', what: /webhooks\.hub\.secrets is missing/ },
  'a webhook with an empty list of secrets': { yaml: 'webhooks: { hub: { kind: github, secrets: [] } }\n', what: /webhooks\.hub\.secrets/ },
  'a secret that is written out': { yaml: 'webhooks: { hub: { kind: github, secrets: [ abc ] } }\n', what: /secrets\.0 is a text and should be a group of keys/ },
  'a secret that two webhooks share': { yaml: 'webhooks: { a: { kind: github, secrets: [ { secret: s } ] }, b: { kind: stripe, secrets: [ { secret: s } ] } }\n', what: /the secret s is already that of a/ },
  'a lane that is not declared': { yaml: webhook(', lanes: [privat]'), what: /the lane privat is not declared → did you mean private\?/ },
  'a pattern with a star in its middle': { yaml: webhook(', events: ["a*b"]'), what: /the type of an event has letters/ },
  'a body larger than anyone needs': { yaml: webhook(', kilobytes: 99999'), what: /webhooks\.hub\.kilobytes/ },
  'sales without a token': { yaml: 'webhooks: { shop: { kind: gumroad, secrets: [ { secret: a } ] } }\n', what: /webhooks\.shop\.token is missing/ },
  'a token that would travel in the clear': { yaml: 'webhooks: { shop: { kind: gumroad, secrets: [ { secret: a } ], token: { secret: t }, api: "http://api.gumroad.com" } }\n', what: /the token of shop would go to api\.gumroad\.com unencrypted → write https/ },
  'a token where none is needed': { yaml: webhook(', token: { secret: t }'), what: /there is no key token in webhooks\.hub/ },
  'a database of one’s own that knows no listener': {
    yaml: `${webhook()}database: { zone: machine, urls: { ${['owner', 'server', 'releaser', 'gate_local', 'gate_cloud', 'worker_open', 'worker_private'].map((user) => `${user}: { secret: db_${user} }`).join(', ')} } }\n`,
    what: /their listener has no user in the database → write listener: \{ secret: database_listener \}/,
  },
  'a name that cannot stand in a path': { yaml: webhook('', 'Hub'), what: /Hub is not a name/ },
}

for (const [name, { yaml, what }] of Object.entries(wrong)) {
  test(`${name} is refused`, async (t) => {
    const problems = await problemsOf(t, { 'castellan.yaml': yaml })
    const found = problems.find((problem) => what.test(problem))
    assert.ok(found, problems.join('\n') || 'no problem was found')
    assert.match(found, /^castellan\.yaml:\d+:\d+ /)
  })
}

const wrongJobs: Record<string, { yaml?: string; job: string; what: RegExp }> = {
  'a webhook that is not declared': { job: 'on: { webhook: hubb }\n', what: /the webhook hubb is not declared in castellan\.yaml → did you mean hub\?/ },
  'events without their webhook': { job: 'on: { events: [push] }\n', what: /nothing says whose events these are → write webhook: NAME/ },
  'an event that the webhook does not take in': { yaml: webhook(', events: [push, "issue*"]'), job: 'on: { webhook: hub, events: [push, issues, star] }\n', what: /does not take in star → it takes in push, issue\*/ },
  'an overlap policy that loses events': { job: 'on: { webhook: hub }\noverlap: skip\n', what: /would be lost by overlap: skip → write overlap: queue/ },
  'events above what the job may read': { yaml: webhook(', label: P3'), job: 'on: { webhook: hub }\n', what: /events of hub are P3 local only, and this job may read only up to P2 internal → write reads_up_to: P3/ },
  'a job of an open lane that is not cleared for its events': { yaml: webhook(', lanes: [open]'), job: 'lane: open\non: { webhook: hub }\n', what: /runs would start with P2 internal because events of hub are P2 internal, and the lane open is cleared up to P1 low → choose a lane with worker: private/ },
  'a job of a cleared lane whose events belong to one that is not': { job: 'lane: client\non: { webhook: hub }\n', what: /the lane client together with private is cleared for nothing/ },
}

for (const [name, { yaml = webhook(), job, what }] of Object.entries(wrongJobs)) {
  test(`${name} is a problem of the job`, async (t) => {
    const problems = await problemsOf(t, { 'castellan.yaml': lanes + yaml, 'jobs/x.yaml': jobText(job) })
    const found = problems.find((problem) => what.test(problem))
    assert.ok(found, problems.join('\n') || 'no problem was found')
    assert.match(found, /^jobs\/x\.yaml:\d+:\d+ /)
  })
}

test('a job starts with the label of its webhook joined in, loses no event to an overlap, and may belong to an open lane that is cleared', async (t) => {
  const folder = houseFolder(t, {
    'castellan.yaml': `${lanes}${webhook(', label: P1, lanes: [client], events: ["issue*"]')}`,
    'jobs/x.yaml': jobText('lane: client\non: { webhook: hub, events: [issues] }\n'),
    'jobs/y.yaml': jobText(''),
  })
  assert.deepEqual(await problemsIn(folder), [])
  const { house } = await loadHouse(folder, { tools: someTools, env: {} })
  const [x, y] = house!.jobs
  assert.deepEqual([x!.label, x!.overlap, x!.webhook], [{ level: 1, integrity: 'untrusted', lanes: ['client'] }, 'queue', { name: 'hub', events: ['issues'] }])
  assert.deepEqual([y!.label, y!.overlap, y!.webhook], [{ level: 1, integrity: 'trusted', lanes: ['private'] }, 'skip', undefined])
})

test('nothing listens unless a webhook is declared, and then on 7404 unless said otherwise', async (t) => {
  const portWith = async (yaml: string, env = {}) => (await loadHouse(houseFolder(t, { 'castellan.yaml': yaml }), { tools: someTools, env })).house!.settings.ports.webhooks
  assert.deepEqual([await portWith(''), await portWith('ports: { webhooks: 9 }\n'), await portWith(webhook()), await portWith(`ports: { webhooks: 9 }\n${webhook()}`)], [null, null, 7404, 9])
  assert.equal(await portWith(webhook(), { CASTELLAN_PORT_WEBHOOKS: '0' }), 0)
})

test('what is declared has its defaults: P2 untrusted of the private lane, 256 KiB, all events', async (t) => {
  const { house } = await loadHouse(houseFolder(t, { 'castellan.yaml': webhook() }), { tools: someTools, env: {} })
  assert.deepEqual(house!.settings.webhooks, [
    { name: 'hub', kind: 'github', secrets: [{ secret: 'hub' }], events: [], bytes: 262_144, perMinute: 120, label: { level: 2, integrity: 'untrusted', lanes: ['private'] } },
  ])
})
