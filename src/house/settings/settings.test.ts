import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { houseFolder, problemsIn, problemsOf, someTools } from '../../../test/support/house-folder.ts'
import { loadHouse } from '../index.ts'
import { signingSite } from './check-signing.ts'

const upstream = (more: string) => `models: { upstreams: { ollama: { kind: ollama, url: "http://127.0.0.1:11434", zone: machine }, x: { kind: openai, ${more} } } }\n`

const smtp = (more: string) => `outbox: { connectors: { mail: { kind: smtp, host: smtp.example.org, ${more.startsWith('from') ? '' : 'from: me@example.org, '}${more} } } }\n`

const outlet = (more: string) => `outbox: { connectors: { out: { ${more} } } }\n`

const budgets = (list: string) => `models: { budgets: [ ${list} ] }\n`

const wrong: Record<string, { yaml: string; what: RegExp }> = {
  'a route to an upstream that is not declared': { yaml: 'models: { routes: { summarize: [ { upstream: olama } ] } }\n', what: /1:46 the route summarize goes to the upstream olama, which is not declared → did you mean ollama\?/ },
  'a budget of an upstream that is not declared': { yaml: budgets('{ per: day, eur: 5, provider: olama }'), what: /1:\d+ a budget is for the upstream olama, which is not declared → did you mean ollama\?/ },
  'a budget of a lane that is not declared': { yaml: budgets('{ per: day, eur: 5, lane: opne }'), what: /a budget is for the lane opne, which is not declared → did you mean open\?/ },
  'a budget of an agent, which no call has': { yaml: budgets('{ per: day, eur: 5, agent: aide }'), what: /no call is told of its agent yet.* → write it for a job, a lane or a key/ },
  'two budgets for the same': { yaml: budgets('{ per: day, eur: 5, lane: open }, { per: month, eur: 5, lane: open }, { lane: open, per: day, eur: 9 }'), what: /there is a budget for the same before it → keep one/ },
  'hours of batches that are none': { yaml: 'models: { batch: { hours: "22-6" } }\n', what: /1:27 "22-6" is not a part of the day/ },
  'hours of batches without a length': { yaml: 'models: { batch: { hours: "22:00-22:00" } }\n', what: /is not a part of the day/ },
  'a budget for no time': { yaml: budgets('{ per: week, eur: 5 }'), what: /models\.budgets\.0\.per/ },
  'a budget below nothing': { yaml: budgets('{ per: day, eur: -5 }'), what: /models\.budgets\.0\.eur/ },
  'a price with a star in its middle': { yaml: 'models: { prices: { "gpt-*-x": { input: 1, output: 2 } } }\n', what: /a price is for a model/ },
  'a lane that allows an unknown upstream': { yaml: 'lanes: { open: { worker: open, cloud_clearance: P1, providers: [ollama, claude] } }\n', what: /the lane open allows the upstream claude/ },
  'a cloud upstream without a key': { yaml: upstream('url: "https://api.example/v1", zone: cloud'), what: /the cloud upstream x has no key → write key: \{ secret: NAME \}/ },
  'a key that is written out': { yaml: upstream('url: "https://api.example/v1", zone: cloud, key: abcdef'), what: /key is a text and should be a group of keys → The key, as the name of a secret/ },
  'a cloud over plain http': { yaml: upstream('url: "http://api.example/v1", zone: cloud, key: { secret: k }'), what: /plain http across the internet/ },
  'a machine that is not this one': { yaml: upstream('url: "http://192.168.1.20:8000/v1", zone: machine'), what: /x is said to be on this machine, and 192\.168\.1\.20 is not this machine → .*own: true/ },
  'a name that a resolver could lead elsewhere': { yaml: upstream('url: "http://localhost.example:1/v1", zone: machine'), what: /localhost\.example is not this machine/ },
  'own: true for this machine': { yaml: upstream('url: "http://127.0.0.1:8000/v1", zone: machine, own: true'), what: /own: true is for another machine/ },
  'an address with a password': { yaml: upstream('url: "http://me:secret@127.0.0.1:8000/v1", zone: machine'), what: /the address of x carries a password/ },
  'a private lane that allows a cloud': { yaml: `${upstream('url: "https://api.example/v1", zone: cloud, key: { secret: k }')}lanes: { private: { providers: [x] } }\n`, what: /the lane private allows the cloud upstream x and has no cloud clearance/ },
  'an open lane that may see nothing': { yaml: 'lanes: { open: { worker: open } }\n', what: /the lane open is for the open worker/ },
  'P2 for a cloud, which takes a signature': { yaml: 'lanes: { open: { worker: open, cloud_clearance: P2 } }\n', what: /P2 internal reaches a cloud model only by an act that you sign, for one provider → write P1, and run `castellan lane clear LANE --upstream NAME --level P2`/ },
  'P3 for a cloud': { yaml: 'lanes: { open: { worker: open, cloud_clearance: P3 } }\n', what: /cloud_clearance cannot be "P3" → / },
  'a path out of the house': { yaml: 'folders: { vault: { path: ../vault } }\n', what: /1:27 \.\.\/vault leads out of the house → write an absolute path/ },
  'a path that goes in and out': { yaml: 'folders: { vault: { path: vault/../../x } }\n', what: /leads out of the house/ },
  'the keys of the user': { yaml: `folders: { vault: { path: "${join(homedir(), '.ssh')}" } }\n`, what: /lies in .*\.ssh, which no tool may reach/ },
  'the home with its keys': { yaml: 'folders: { vault: { path: "~" } }\n', what: /contains .*, which no tool may reach/ },
  'the whole disk': { yaml: 'folders: { vault: { path: / } }\n', what: /contains \/etc, which no tool may reach/ },
  'the system': { yaml: 'folders: { vault: { path: /etc/ssl } }\n', what: /lies in \/etc/ },
  'the house itself': { yaml: 'folders: { vault: { path: . } }\n', what: /is the house itself/ },
  'the configuration': { yaml: 'folders: { vault: { path: jobs, access: write } }\n', what: /jobs holds configuration/ },
  'a null byte': { yaml: 'folders: { vault: { path: "vault\\0" } }\n', what: /null byte/ },
  'words to the operator by a way that is not there': { yaml: outlet('kind: telegram, chat: "4711", token: { secret: s }').replace('outbox: {', 'outbox: { tell: our,'), what: /jobs would tell you something by our, and no connector has that name → did you mean out\?/ },
  'words to the operator into a group': { yaml: outlet('kind: telegram, chat: "-4711", token: { secret: s }').replace('outbox: {', 'outbox: { tell: out,'), what: /by out, which does not lead to you alone → name a connector of kind telegram whose chat is your own number/ },
  'words to the operator into a folder': { yaml: outlet('path: outbox').replace('outbox: {', 'outbox: { tell: out,'), what: /which does not lead to you alone/ },
  'two connectors in one folder': { yaml: 'outbox: { connectors: { a: { path: outbox }, b: { path: ./outbox/ } } }\n', what: /the connector b and the connector a would both write to .*outbox → give each a folder/ },
  'a connector in a folder that tools write to': { yaml: 'outbox: { connectors: { a: { path: briefs/out } } }\n', what: /the connector a and the folder briefs would both write/ },
  'a mail server over the open net': { yaml: smtp('security: none'), what: /mail and password of mail would go to smtp\.example\.org unencrypted → write security: tls/ },
  'a name that a resolver could lead elsewhere, in the clear': { yaml: smtp('security: none').replace('smtp.example.org', 'localhost.example.org'), what: /unencrypted/ },
  'a user without a password': { yaml: smtp('user: me'), what: /mail has a user and no password → write user and password/ },
  'a password without a user': { yaml: smtp('password: { secret: smtp }'), what: /mail has a password and no user/ },
  'a password that is written out': { yaml: smtp('user: me, password: abc'), what: /password is a text and should be a group of keys/ },
  'copies into a mailbox that is none': { yaml: smtp('sent: { account: sample }'), what: /go to the mailbox sample, and no mail account of kind imap/ },
  'an authority that is not there': { yaml: smtp('ca: nowhere.pem'), what: /the certificate nowhere\.pem cannot be read/ },
  'an authority that is no certificate': { yaml: smtp('ca: castellan.yaml'), what: /castellan\.yaml holds no certificate/ },
  'a notice over plain http': { yaml: outlet('kind: webhook, url: "http://hooks.example.org/", secret: { secret: s }'), what: /out would be asked over plain http across the internet → write https/ },
  'an address that is read as another': { yaml: outlet('kind: webhook, url: "https://hooks.example.org/a/../b", secret: { secret: s }'), what: /is read as https:\/\/hooks\.example\.org\/b → write https/ },
  'an address with a user': { yaml: outlet('kind: webhook, url: "https://me@hooks.example.org/", secret: { secret: s }'), what: /without a user/ },
  'a query that every request begins with': { yaml: outlet('kind: http, url: "https://api.example.org/?a=b", methods: [GET]'), what: /has a query, and every request begins with it/ },
  'requests by no method': { yaml: outlet('kind: http, url: "https://api.example.org", methods: []'), what: /outbox\.connectors\.out\.methods/ },
  'a folder to change that is not there': { yaml: outlet('kind: files, folders: [vualt]').replace('outbox', 'folders: { vault: { path: vault, access: write } }\noutbox'), what: /out would change the folder vualt, which is not declared → did you mean vault/ },
  'a folder to change that is only read': { yaml: outlet('kind: files, folders: [vault]').replace('outbox', 'folders: { vault: { path: vault, access: read } }\noutbox'), what: /out would change the folder vault, which is only read → write access: write/ },
  'a command in a folder that is only read': { yaml: outlet('kind: shell, folders: [vault], allow: [/usr/bin/rm]').replace('outbox', 'folders: { vault: { path: vault, access: read } }\noutbox'), what: /out would change the folder vault, which is only read/ },
  'a command by a shell': { yaml: outlet('kind: shell, folders: [vault], allow: [/bin/sh]').replace('outbox', 'folders: { vault: { path: vault, access: write } }\noutbox'), what: /\/bin\/sh can start any other program/ },
  'a command without an end': { yaml: outlet('kind: shell, folders: [vault], allow: [/usr/bin/rm], timeout: 1h').replace('outbox', 'folders: { vault: { path: vault, access: write } }\noutbox'), what: /a command has between 1s and 60s/ },
  'a push over plain http': { yaml: outlet('kind: git, repository: /srv/site, remote: "http://git.example.org/site.git", branches: [agent/*]'), what: /plain http across the internet/ },
  'a push with half of a login': { yaml: outlet('kind: git, repository: /srv/site, remote: "https://git.example.org/site.git", branches: [agent/*], user: me'), what: /out has a user and no password/ },
  'a login for a folder': { yaml: outlet('kind: git, repository: /srv/site, remote: /srv/site.git, branches: [agent/*], user: me, password: { secret: s }'), what: /out would log in to a folder/ },
  'a push to where tools write': { yaml: `folders: { bench: { path: /srv/git, access: write } }\n${outlet('kind: git, repository: /srv/site, remote: /srv/git/site.git, branches: [agent/*]')}`, what: /out would push to \/srv\/git\/site\.git, in the folder bench, which tools write to → name a remote elsewhere/ },
  'a remote of another transport': { yaml: outlet('kind: git, repository: /srv/site, remote: "ext::sh -c x", branches: [agent/*]'), what: /a remote is an absolute path, or an address/ },
  'a push to no branch': { yaml: outlet('kind: git, repository: /srv/site, remote: /srv/site.git, branches: []'), what: /outbox\.connectors\.out\.branches/ },
  'a limit of none': { yaml: outlet('kind: http, url: "https://api.example.org", methods: [GET], limits: { hour: 0 }'), what: /limits\.hour/ },
  'a mail server without a sender': { yaml: 'outbox: { connectors: { mail: { kind: smtp, host: smtp.example.org } } }\n', what: /outbox\.connectors\.mail\.from is missing/ },
  'a sender that is none': { yaml: smtp('from: nobody'), what: /outbox\.connectors\.mail\.from: .*a sender is an address/ },
  'a path for a mail server': { yaml: smtp('path: outbox'), what: /there is no key path/ },
  'a connector of no kind': { yaml: 'outbox: { connectors: { mail: { kind: smpt } } }\n', what: /outbox\.connectors\.mail\.kind cannot be "smpt" → did you mean smtp\?/ },
  'a mailbox that tools could forge': { yaml: 'mail: { accounts: { a: { path: briefs } } }\n', what: /the mailbox a and the folder briefs would both write/ },
  'a risk rule about everything': { yaml: 'outbox: { risk: [ { when: {}, add: 2, reason: because } ] }\n', what: /a rule without a condition would apply to everything/ },
  'a risk rule that takes away': { yaml: 'outbox: { risk: [ { when: { kind: mail }, add: -2, reason: because } ] }\n', what: /outbox\.risk\.0\.add/ },
  'the key that seals the audit as the key of a model': { yaml: 'models: { upstreams: { far: { kind: anthropic, zone: cloud, url: "https://api.anthropic.com", key: { secret: sealing_key } } } }\n', what: /sealing_key is the key that seals the audit → give this secret another name/ },
  'a signing page without its scheme': { yaml: 'outbox: { sign_origin: castellan.example.ts.net }\n', what: /1:24 castellan\.example\.ts\.net is not the origin of a page → .*https:\/\/castellan\.example/ },
  'a signing page with a path': { yaml: 'outbox: { sign_origin: "https://castellan.example.ts.net/" }\n', what: /nothing behind: https:\/\/castellan\.example\.ts\.net$/ },
  'a signing page in upper case': { yaml: 'outbox: { sign_origin: "https://Castellan.example" }\n', what: /nothing behind: https:\/\/castellan\.example$/ },
  'a signing page over plain http': { yaml: 'outbox: { sign_origin: "http://castellan.example:7401" }\n', what: /browsers let nobody sign at .* → put HTTPS in front of it .*sign-from-your-phone/ },
  'a signing page at an address': { yaml: 'outbox: { sign_origin: "https://100.64.0.7" }\n', what: /is an address, and passkeys belong to names/ },
  'a signing page at loopback': { yaml: 'outbox: { sign_origin: "http://127.0.0.1:7401" }\n', what: /use http:\/\/localhost/ },
  'a signing page behind a proxy of which nothing is said': { yaml: 'outbox: { sign_origin: "https://castellan.example.ts.net" }\n', what: /1:24 nobody can sign at https:\/\/castellan\.example\.ts\.net: nothing says what the proxy before it has to show → write expose: with a token/ },
  'passkeys of another name': { yaml: 'outbox: { sign_origin: "https://castellan.example.ts.net", rp_id: castellan.example.org }\n', what: /passkeys for castellan\.example\.org cannot sign at .* → leave rp_id out/ },
  'passkeys of a part of a name': { yaml: 'outbox: { sign_origin: "https://castellan.example.ts.net", rp_id: ample.ts.net }\n', what: /1:\d+ passkeys for ample\.ts\.net cannot sign/ },
  'passkeys of a whole zone': { yaml: 'outbox: { sign_origin: "https://castellan.example", rp_id: example }\n', what: /passkeys for example cannot sign/ },
  'passkeys of a name without its page': { yaml: 'outbox: { rp_id: castellan.example.ts.net }\n', what: /passkeys for castellan\.example\.ts\.net cannot sign at http:\/\/localhost:7401/ },
  'a shell among the programs': { yaml: 'shell: { allow: [/bin/bash] }\n', what: /\/bin\/bash can start any other program/ },
  'a program that runs others with other rights': { yaml: 'shell: { allow: [/usr/bin/sudo] }\n', what: /sudo runs things with other rights/ },
  'a program by the name of a version': { yaml: 'shell: { allow: [/usr/bin/python3.12] }\n', what: /python3\.12 can start any other program/ },
  'a rule for commands that allows': { yaml: 'shell: { rules: [ { program: rm, outcome: allowed, reason: because } ] }\n', what: /shell\.rules/ },
  'a program by its name alone': { yaml: 'shell: { allow: [du] }\n', what: /du is neither an absolute path nor in scripts/ },
  'a script that leads out': { yaml: 'shell: { allow: [scripts/../../x.sh] }\n', what: /is neither an absolute path nor in scripts/ },
  'a section that is a list': { yaml: 'outbox:\n  - hold: 10s\n', what: /2:3 outbox is a list and should be a group of keys/ },
  'a section that is empty': { yaml: 'outbox:\n', what: /outbox is empty and should be a group of keys/ },
  'a lane with a strange name': { yaml: 'lanes: { "My Lane": { worker: private } }\n', what: /1:10 My Lane is not a name/ },
  'a port that is none': { yaml: 'ports: { server: 70000 }\n', what: /ports\.server/ },
  'a zone that does not exist': { yaml: 'timezone: Berlin\n', what: /no such time zone → write an IANA name/ },
  'a folder in a lane that is not declared': { yaml: 'folders: { vault: { path: vault, lanes: [privat] } }\n', what: /the lane privat is not declared → did you mean private\?/ },
}

for (const [name, { yaml, what }] of Object.entries(wrong)) {
  test(`${name} is refused`, async (t) => {
    const problems = await problemsOf(t, { 'castellan.yaml': yaml })
    const found = problems.find((problem) => what.test(problem))
    assert.ok(found, problems.join('\n') || 'no problem was found')
    assert.match(found, /^castellan\.yaml:\d+:\d+ .+ → .+/)
  })
}

test('a symbolic link that leads out of the house is refused, one that stays in is not', async (t) => {
  const folder = houseFolder(t, { 'castellan.yaml': 'folders: { a: { path: escape }, b: { path: inside }, c: { path: escape/deeper } }\n' })
  symlinkSync(tmpdir(), join(folder, 'escape'))
  symlinkSync(join(folder, 'vault'), join(folder, 'inside'))
  const problems = (await problemsIn(folder)).filter((problem) => !/no folder/.test(problem))
  assert.equal(problems.length, 2)
  for (const problem of problems) assert.match(problem, /is a symbolic link that leads out of the house/)
})

test('the state of Castellan is out of reach, the house in it is not', async (t) => {
  const home = houseFolder(t)
  const folder = join(home, 'house')
  mkdirSync(folder)
  const files = houseFolder(t, { 'castellan.yaml': `folders: { a: { path: "${join(home, 'releaser')}" } }\n` })
  const { problems } = await loadHouse(files, { tools: someTools, env: {}, home })
  assert.match(problems[0]!.what, /which no tool may reach/)
})

test('a folder that is not there yet is a warning, and so is a program', async (t) => {
  const { house, problems } = await loadHouse(houseFolder(t, { 'castellan.yaml': 'folders: { notes: { path: notes } }\nshell: { allow: [/usr/bin/no-such-program] }\n' }), { tools: someTools, env: {} })
  assert.ok(house)
  assert.deepEqual(problems.map(({ severity, what }) => [severity, what]), [
    ['warning', 'there is no folder notes yet'], ['warning', 'there is no program /usr/bin/no-such-program on this machine'],
  ])
})

test('a machine that is declared one’s own may be asked with everything', async (t) => {
  assert.deepEqual(await problemsOf(t, { 'castellan.yaml': upstream('url: "http://192.168.1.20:8000/v1", zone: machine, own: true') }), [])
})

test('lanes that cannot be read do not blame the jobs that use them', async (t) => {
  const problems = await problemsOf(t, {
    'castellan.yaml': 'lanes: { work: { wroker: open } }\n',
    'jobs/x.yaml': 'summary: A job\nlane: work\nsteps: [ { id: mail, uses: mail.list } ]\n',
  })
  assert.deepEqual(problems.map((problem) => problem.split(' → ')[1]), ['did you mean worker?'])
})

test('the signing page is at localhost on its port, at the origin that the file names, and passkeys belong to its host or above', async (t) => {
  const siteOf = async (outbox: string, port = 7401) => {
    const { house, problems } = await loadHouse(houseFolder(t, { 'castellan.yaml': `ports: { releaser: ${port} }\nexpose: { server: "https://house.example.ts.net", proxy: tailscale, token: none }\noutbox: { ${outbox} }\n` }), { tools: someTools, env: {} })
    assert.deepEqual(problems.filter(({ severity }) => severity === 'error'), [])
    return signingSite(house!.settings.signing, port)
  }
  assert.deepEqual(await siteOf('', 9001), { origin: 'http://localhost:9001', rpId: 'localhost' })
  const origin = 'https://castellan.example.ts.net'
  assert.deepEqual(await siteOf(`sign_origin: "${origin}"`), { origin, rpId: 'castellan.example.ts.net' })
  assert.deepEqual(await siteOf(`sign_origin: "${origin}:8443", rp_id: example.ts.net`), { origin: `${origin}:8443`, rpId: 'example.ts.net' })
  assert.deepEqual(await siteOf('sign_origin: "http://localhost:9999"'), { origin: 'http://localhost:9999', rpId: 'localhost' })
})

test('money is as it stands in the file, and in whole millionths where it is reckoned with', async (t) => {
  const { house } = await loadHouse(houseFolder(t, {
    'castellan.yaml': `models:
  budgets: [{ per: day, eur: 5, lane: open }]
  eur_per_usd: 0.8612345
  prices: { "ollama/x*": { input: 1.25, output: 10, cache_read: 0.125, output_limit: 8000, above_200k: { input: 2.5, output: 15 } } }
`,
  }), { tools: someTools, env: {} })
  assert.deepEqual(house!.settings.spending, {
    budgets: [{ per: 'day', eur: 5, lane: 'open' }],
    prices: { 'ollama/x*': { input: 1.25, output: 10, cacheRead: 0.125, outputLimit: 8000, above200k: { input: 2.5, output: 15 } } },
    microEurPerUsd: 861_235, allowUnknownPrice: false,
  })
})
