import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { houseFolder, problemsOf, someTools } from '../../test/support/house-folder.ts'
import { covers, UNLABELLED } from '../labels/index.ts'
import { labelOfFile, labelOfMail, loadHouse } from './index.ts'

const castellan = 'lanes: { work: { worker: private } }\nfolders: { vault: { path: vault, label: P2 }, drop: { path: briefs, label: P1, integrity: untrusted } }\nmail: { accounts: { sample: { path: outbox/../letters, label: P2 } } }\noutbox: { connectors: {} }\n'
const labels = `
- { folder: vault/public/secret, label: P3 }
- { folder: vault/public, label: P0 }
- { folder: vault/people, label: P3, lanes: [work] }
- { source: mail, account: sample, from: "*@praxis.example", label: P3 }
- { source: mail, subject: "*public*", label: P0 }
`

async function load(t: Parameters<typeof houseFolder>[0]) {
  const { house, problems } = await loadHouse(houseFolder(t, { 'castellan.yaml': castellan, 'labels.yaml': labels, 'letters/.gitkeep': '' }), { tools: someTools, env: {} })
  assert.deepEqual(problems, [])
  return house!
}

test('the first rule about a place decides, else the folder does, and what is not declared is P3 untrusted', async (t) => {
  const house = await load(t)
  const level = (folder: string, path: string) => labelOfFile(house, folder, path).level
  assert.deepEqual(['public/a.md', 'public/secret/b.md', 'people/c.md', 'd.md', './public//e.md'].map((path) => level('vault', path)), [0, 3, 3, 2, 0])
  assert.deepEqual(labelOfFile(house, 'vault', 'people/c.md').lanes, ['work'])
  assert.deepEqual(labelOfFile(house, 'vault', 'd.md').lanes, ['house'])
  assert.deepEqual(labelOfFile(house, 'drop', 'x'), { level: 1, integrity: 'untrusted', lanes: [] })
  assert.deepEqual(labelOfFile(house, 'volt', 'x'), UNLABELLED)
  assert.deepEqual(labelOfFile(house, 'vault', 'public/../people/c.md'), UNLABELLED)
})

test('another spelling of a place never escapes a rule that raises, and never enters one that lowers', async (t) => {
  const house = await load(t)
  assert.equal(labelOfFile(house, 'vault', 'PEOPLE/c.md').level, 3)
  assert.equal(labelOfFile(house, 'vault', 'Public/a.md').level, 2)
  assert.equal(labelOfFile(house, 'vault', 'publicity/a.md').level, 2)
})

test('what a stranger writes can only raise the label of a message', async (t) => {
  const house = await load(t)
  assert.deepEqual(labelOfMail(house, { account: 'sample', from: 'Termine@Praxis.example' }), { level: 3, integrity: 'untrusted', lanes: ['private'] })
  assert.deepEqual(labelOfMail(house, { account: 'sample', subject: 'a public matter' }), { level: 2, integrity: 'untrusted', lanes: ['private'] })
  assert.deepEqual(labelOfMail(house, { account: 'other' }), UNLABELLED)
  const base = labelOfMail(house, { account: 'sample' })
  fc.assert(fc.property(fc.string(), fc.string(), fc.array(fc.string()), (from, subject, to) => {
    assert.ok(covers(labelOfMail(house, { account: 'sample', from, subject, to }), base))
  }))
})

const wrong: Record<string, [rule: string, what: RegExp]> = {
  'a rule about nothing': ['- { label: P0 }', /this names neither → write `folder: vault\/public` or `source: mail`/],
  'a rule about both': ['- { folder: vault, source: mail, label: P0 }', /this names both/],
  'mail that is trusted': ['- { source: mail, integrity: trusted, label: P0 }', /mail is never trusted/],
  'a folder with a sender': ['- { folder: vault, from: "*", label: P0 }', /from is no condition for a folder/],
  'a path that climbs': ['- { folder: vault/../briefs, label: P0 }', /is not a path in the folder vault/],
  'a rule that never applies': ['- { folder: vault, label: P0 }\n- { folder: vault/people, label: P3 }', /this rule never applies: the rule for vault before it decides → put the narrower rule first/],
  'an account that is not there': ['- { source: mail, account: smaple, label: P3 }', /the mail account smaple is not declared/],
  'a rule without a level': ['- { folder: vault }', /0\.label is missing → The level/],
  'rules that are no list': ['folder: vault', /the file is a group of keys and should be a list/],
}

for (const [name, [rule, what]] of Object.entries(wrong)) {
  test(`${name} is a problem of labels.yaml`, async (t) => {
    const problems = await problemsOf(t, { 'labels.yaml': rule })
    assert.ok(problems.some((problem) => problem.startsWith('labels.yaml:') && what.test(problem)), problems.join('\n'))
  })
}
