import assert from 'node:assert/strict'
import { test } from 'node:test'
import { houseFolder, problemsOf, someTools } from '../../../test/support/house-folder.ts'
import { makeCertificate } from '../../../test/support/certificate.ts'
import { loadHouse, type CommandSourceSettings } from '../index.ts'

const http = (more = '') => `sources: { leads: { kind: http, url: "https://api.example.org/v1/leads"${more} } }\n`
const command = (more = '', argv = '[/bin/ls]') => `sources: { leads: { kind: command, argv: ${argv}, network: ["api.example.org:443"]${more} } }\n`
const at = (url: string, more = '') => `sources: { leads: { kind: http, url: ${JSON.stringify(url)}${more} } }\n`

/** Two sources, of which the first has the secret `crm` for one host. */
const two = (other: string) => `sources:\n  leads: { kind: http, url: "https://api.example.org/v1/leads", credential: { secret: crm } }\n  other: ${other}\n`

const wrong: Record<string, { yaml: string; what: RegExp }> = {
  'a source without an address': { yaml: 'sources: { leads: { kind: http } }\n', what: /sources\.leads\.url is missing/ },
  'plain http across the internet': { yaml: at('http://api.example.org/leads'), what: /leads would be asked over plain http across the internet → write https/ },
  'an address with a user': { yaml: at('https://me:word@api.example.org/'), what: /an address is e\.g\. https/ },
  'an address with a query': { yaml: at('https://api.example.org/leads?token=x'), what: /has more than a path → write what stands behind the \? under query/ },
  'an address that means another': { yaml: at('https://api.example.org/a/../b'), what: /is read as https:\/\/api\.example\.org\/b/ },
  'a host that depends on a parameter': { yaml: at('https://{host}/leads', ', params: { host: { form: id } }'), what: /an address is e\.g\. https/ },
  'a parameter that is not declared': { yaml: at('https://api.example.org/leads/{stage}'), what: /\{stage\} is no parameter of this source → declare it under params/ },
  'a parameter that stands nowhere': { yaml: http(', params: { stage: { values: [open] } }'), what: /the parameter stage stands nowhere → write \{stage\} where it goes/ },
  'a parameter that may be anything': { yaml: at('https://api.example.org/{stage}', ', params: { stage: {} }'), what: /a parameter has values or a form → write values/ },
  'a value that a command would take for an option': { yaml: command(', params: { x: { values: ["--all"] } }', '[/bin/ls, "{x}"]'), what: /a value is one line of ASCII that begins with a letter/ },
  'parameters of what is internal': { yaml: http(', params_up_to: P2'), what: /sources\.leads\.params_up_to cannot be "P2"/ },
  'a secret that is written out': { yaml: http(', credential: { secret: { value: x } }'), what: /sources\.leads\.credential\.secret/ },
  'a secret that sends': { yaml: `${http(', credential: { secret: crm }')}outbox: { connectors: { crm: { kind: http, url: "https://api.example.org", methods: [POST], credential: { secret: crm } } } }\n`, what: /the secret crm is already that of the connector crm → make another one/ },
  'a secret that opens the database': {
    yaml: `${http(', credential: { secret: db_owner }')}database: { zone: machine, urls: { ${['owner', 'server', 'releaser', 'gate_local', 'gate_cloud', 'worker_open', 'worker_private', 'reader'].map((user) => `${user}: { secret: db_${user} }`).join(', ')} } }\n`,
    what: /the secret db_owner is already that of the database/,
  },
  'a secret that is a mailbox’s': { yaml: `${command(', credential: { secret: word }')}mail: { accounts: { me: { kind: imap, host: mail.example.org, user: me, password: { secret: word } } } }\n`, what: /the secret word is already that of the mail account me/ },
  'a secret of two hosts': { yaml: two('{ kind: http, url: "https://api.example.net/v1", credential: { secret: crm } }'), what: /:3:\d+ the secret crm is already that of the source leads, which reaches api\.example\.org:443 and not api\.example\.net:443: it could be sent to the wrong one → make one for each host/ },
  'a secret of two ports': { yaml: two('{ kind: http, url: "https://api.example.org:8443/v1", credential: { secret: crm } }'), what: /which reaches api\.example\.org:443 and not api\.example\.org:8443/ },
  'a secret that would also travel in the clear': { yaml: two('{ kind: http, url: "http://api.example.org:443/v1", private: true, credential: { secret: crm } }'), what: /and not http:\/\/api\.example\.org:443/ },
  'a secret of a command that reaches one host more': { yaml: two('{ kind: command, argv: [/bin/ls], network: ["api.example.org:443", "files.example.org:443"], credential: { secret: crm } }'), what: /and not api\.example\.org:443 files\.example\.org:443/ },
  'a lane that is not declared': { yaml: http(', lanes: [privat]'), what: /the lane privat is not declared → did you mean private\?/ },
  'an answer larger than anyone needs': { yaml: http(', kilobytes: 99999'), what: /sources\.leads\.kilobytes/ },
  'an authority that is not there': { yaml: http(', ca: nowhere.pem'), what: /the certificate nowhere\.pem cannot be read/ },
  'a program that is looked for': { yaml: command('', '[vendor, list]'), what: /vendor is no absolute path/ },
  'a shell': { yaml: command('', '[/bin/sh, -c, "{x}"]'), what: /\/bin\/sh can start any other program/ },
  'a program that a parameter names': { yaml: command(', params: { x: { form: id } }', '["/bin/{x}", "{x}"]'), what: /is no absolute path/ },
  'a command that reaches nothing': { yaml: 'sources: { leads: { kind: command, argv: [/bin/ls] } }\n', what: /sources\.leads\.network is missing/ },
  'a network by address': { yaml: command('').replace('api.example.org:443', '127.0.0.1:443'), what: /a destination is a host by its name and a port/ },
  'a network by a pattern': { yaml: command('').replace('api.example.org:443', '*.example.org:443'), what: /a destination is a host by its name and a port/ },
  'a network without a port': { yaml: command('').replace('api.example.org:443', 'api.example.org'), what: /a destination is a host by its name and a port/ },
  'a database of one’s own that knows no reader': {
    yaml: `${http()}database: { zone: machine, urls: { ${['owner', 'server', 'releaser', 'gate_local', 'gate_cloud', 'worker_open', 'worker_private'].map((user) => `${user}: { secret: db_${user} }`).join(', ')} } }\n`,
    what: /their reader has no user in the database → write reader: \{ secret: database_reader \}/,
  },
}

for (const [name, { yaml, what }] of Object.entries(wrong)) {
  test(`${name} is refused`, async (t) => {
    const problems = await problemsOf(t, { 'castellan.yaml': yaml })
    const found = problems.find((problem) => what.test(problem))
    assert.ok(found, problems.join('\n') || 'no problem was found')
    assert.match(found, /^castellan\.yaml:\d+:\d+ /)
  })
}

test('what reaches the same host may share a secret, be it an address or a command', async (t) => {
  for (const other of ['kind: http, url: "https://api.example.org/v2/{a}", params: { a: { values: [x] } }', 'kind: command, argv: [/bin/ls], network: ["api.example.org:443"]']) {
    assert.deepEqual(await problemsOf(t, { 'castellan.yaml': two(`{ ${other}, credential: { secret: crm } }`) }), [])
  }
})

test('a source is P2 untrusted of the private lane, asked at most every quarter of an hour, and its parameters are public, unless it says otherwise', async (t) => {
  const { certificate } = makeCertificate()
  const folder = houseFolder(t, { 'ca.pem': certificate, 'castellan.yaml': at('https://api.example.org/v1/leads/{stage}', ', query: { since: "{since}" }, params: { stage: { values: [open, won] }, since: { form: date } }, ca: ca.pem, credential: { secret: crm-read }') })
  const { house, problems } = await loadHouse(folder, { tools: someTools, env: {} })
  assert.deepEqual(problems.filter(({ severity }) => severity === 'error'), [])
  const { ca, ...rest } = house!.settings.sources[0] as { ca: string }
  assert.equal(ca.trim(), certificate.trim())
  assert.deepEqual(rest, {
    kind: 'http', name: 'leads', url: 'https://api.example.org/v1/leads/{stage}', query: { since: '{since}' }, credential: { header: 'authorization', prefix: 'Bearer ', secret: 'crm-read' },
    label: { level: 2, integrity: 'untrusted', lanes: ['private'] }, format: 'json', bytes: 1_048_576, timeoutMs: 30_000, refreshMs: 900_000, maxAgeMs: 28_800_000,
    limits: { hour: 60, day: 500 }, params: [{ name: 'stage', values: ['open', 'won'] }, { name: 'since', form: 'date' }], paramsUpTo: 0, private: false,
  })
})

test('a command has its hosts and ports apart, and a variable that names the file of its secret', async (t) => {
  const folder = houseFolder(t, { 'castellan.yaml': command(', credential: { secret: crm-read, env: VENDOR_TOKEN_FILE }, label: P1, lanes: []') })
  const { house } = await loadHouse(folder, { tools: someTools, env: {} })
  const { kind, argv, network, credential, label } = house!.settings.sources[0] as CommandSourceSettings
  assert.deepEqual({ kind, argv, network, credential, label }, {
    kind: 'command', argv: ['/bin/ls'], network: [{ host: 'api.example.org', port: 443 }], credential: { env: 'VENDOR_TOKEN_FILE', secret: 'crm-read' }, label: { level: 1, integrity: 'untrusted', lanes: [] },
  })
})
