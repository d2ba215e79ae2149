import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { houseFolder, problemsIn, problemsOf, someTools } from '../../../test/support/house-folder.ts'
import { loadHouse } from '../index.ts'

const account = (more: string) => `mail: { accounts: { me: { kind: imap, host: imap.example.org, user: me, password: { secret: me }${more} } } }\n`

const wrong: Record<string, { yaml: string; what: RegExp }> = {
  'a password that is written out': { yaml: 'mail: { accounts: { me: { kind: imap, host: h, user: me, password: abc } } }\n', what: /password is a text and should be a group of keys/ },
  'a password that would go to another machine in the clear': { yaml: account(', security: none'), what: /the password of me would go to imap.example.org unencrypted → write security: tls/ },
  'a folder that is mirrored twice': { yaml: account(', folders: [INBOX, INBOX]'), what: /me mirrors the folder INBOX twice/ },
  'a folder that is more than one line': { yaml: account(', folders: ["a\\nb"]'), what: /the name of a folder is one line/ },
  'more folders than there are connections': { yaml: account(`, folders: [${'abcdefghi'.split('').join(', ')}]`), what: /mail\.accounts\.me\.folders/ },
  'an account of a kind that does not exist': { yaml: 'mail: { accounts: { me: { kind: pop, host: h } } }\n', what: /kind cannot be "pop" → one of folder, imap/ },
  'a path of an account on a server': { yaml: account(', path: sample'), what: /there is no key path in mail\.accounts\.me/ },
  'a certificate that is not there': { yaml: account(', ca: bridge.pem'), what: /the certificate bridge\.pem cannot be read/ },
  'a certificate that is none': { yaml: account(', ca: castellan.yaml'), what: /castellan\.yaml holds no certificate in PEM form → export the certificate/ },
  'a connector without its mailbox': { yaml: `${account('')}outbox: { connectors: { mailbox: { kind: imap, account: em } } }\n`, what: /the connector mailbox is for the mailbox em, and no mail account of kind imap has that name → did you mean me\?/ },
  'a lane that is not declared': { yaml: account(', lanes: [privat]'), what: /the lane privat is not declared → did you mean private\?/ },
}

for (const [name, { yaml, what }] of Object.entries(wrong)) {
  test(`${name} is refused`, async (t) => {
    const problems = await problemsOf(t, { 'castellan.yaml': yaml })
    const found = problems.find((problem) => what.test(problem))
    assert.ok(found, problems.join('\n') || 'no problem was found')
    assert.match(found, /^castellan\.yaml:\d+:\d+ .+ → .+/)
  })
}

test('a mailbox on a server has the ports of its security, and the certificate goes along without its key', async (t) => {
  const folder = houseFolder(t, { 'castellan.yaml': `mail:
  accounts:
    one: { kind: imap, host: imap.example.org, user: me@example.org, password: { secret: one } }
    bridge: { kind: imap, host: 127.0.0.1, port: 1143, security: starttls, user: me, password: { secret: bridge }, ca: bridge.pem, label: P3, lanes: [private] }
    here: { kind: imap, host: localhost, security: none, user: me, password: { secret: here }, folders: [INBOX, Bills] }
outbox: { connectors: { mailbox: { kind: imap, account: bridge } }, risk: [ { when: { kind: mail.move }, add: 1, reason: because } ] }
` })
  const key = join(folder, 'key.pem')
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=127.0.0.1', '-keyout', key, '-out', join(folder, 'bridge.pem')], { stdio: 'ignore' })
  const both = execFileSync('cat', [key, join(folder, 'bridge.pem')])
  writeFileSync(join(folder, 'bridge.pem'), both)
  assert.deepEqual(await problemsIn(folder), [])
  const { house } = await loadHouse(folder, { tools: someTools, env: {} })
  const [one, bridge, here] = house!.settings.mail.accounts
  assert.deepEqual(one, {
    name: 'one', kind: 'imap', host: 'imap.example.org', port: 993, security: 'tls', user: 'me@example.org', password: { secret: 'one' }, folders: ['INBOX'],
    label: { level: 2, integrity: 'untrusted', lanes: ['private'] },
  })
  assert(here?.kind === 'imap' && here.port === 143)
  assert(bridge?.kind === 'imap' && bridge.port === 1143 && bridge.label.level === 3)
  assert.match(bridge.ca!, /^-----BEGIN CERTIFICATE-----/)
  assert(!JSON.stringify(house).includes('PRIVATE KEY'))
  assert.deepEqual(house!.settings.outbox.connectors.map(({ kind, name }) => [kind, name]), [['imap', 'mailbox']])
})
