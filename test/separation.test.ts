import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { processNames } from '../src/processes/boot.ts'
import type { AttemptResult } from './support/attempt.ts'
import { attemptAs, attemptsOf, listeners, probe } from './support/process-attempts.ts'
import { runningHouse } from './support/running-house.ts'

const asRoot = process.getuid?.() === 0

test('no process can do the work of another', { skip: !asRoot && 'only root can give each process its own uid', timeout: 240_000 }, async (t) => {
  // so that it is not the machine that sees to it
  execFileSync('prlimit', [`--pid=${process.pid}`, '--core=unlimited'])
  // with something to read, so that the reader runs as well
  const house = await runningHouse(t, { edit: (yaml) => `${yaml}\nsources: { nothing: { kind: http, url: "https://api.example.org/" } }\n` })
  assert.equal(house.up.isolation.mode, 'separate-uids')
  const network = await listeners(t)
  const attempts = Object.fromEntries(processNames.map((name) => [name, attemptsOf(name, house, network)]))
  for (const name of processNames) {
    await t.test(`${name}: ${attempts[name]!.length} attempts are refused`, (t) => {
      const results = attemptAs(name, house, attempts[name]!)
      for (const { what, outcome } of results) t.diagnostic(`${name}: ${what}: ${outcome}`)
      assert.deepEqual(results.filter(({ outcome }) => outcome === 'done'), [])
    })
  }
  await t.test('none of them leaves its memory in a core dump', () => {
    for (const { pid } of house.up.processes.values()) assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max core file size +1 +1 /m)
  })
  await t.test('the same attempts succeed for root, so they do try something', () => {
    const all = processNames.flatMap((name) => attempts[name]!).filter(({ how }) => how !== 'write')
    const answer = execFileSync(process.execPath, [probe], { input: JSON.stringify(all) })
    const refused = (JSON.parse(answer.toString()) as AttemptResult[]).filter(({ outcome }) => outcome !== 'done')
    assert.deepEqual(refused, [])
  })
})
