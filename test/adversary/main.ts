import { parseArgs } from 'node:util'
import { brief, type Outcome } from './attack.ts'
import { families } from './families.ts'
import { controls } from './controls.ts'
import { openField } from './field.ts'
import { filesUnderAttack } from './injected.ts'
import { watchOver } from './watch.ts'

// `npm run adversary`: a model that always obeys the attacker, and an attacker who has taken over one process, one login or one page after the other, against one
// real house. Each case is listed with what stopped it. Exit 1 when anything got out, or when a case could not be tried.

const { values: { json, only } } = parseArgs({ options: { json: { type: 'boolean', default: false }, only: { type: 'string' } } })
const pattern = only === undefined ? undefined : new RegExp(only, 'i')
const say = (line: string) => void (json || process.stdout.write(`${line}\n`))

interface Result { readonly family: string; readonly name: string; readonly stopped?: string; readonly got?: string; readonly leaks?: readonly string[]; readonly broken?: string }

const releases: (() => unknown)[] = []
const t = { after: (release: () => unknown) => void releases.push(release) }
const started = performance.now()
const results: Result[] = []
const skipped: { readonly family: string; readonly reason: string }[] = []
const told = new Set<string>()
let failures = 0

try {
  const field = await openField(t, filesUnderAttack(), say)
  const watch = watchOver(field)
  say('the operator signs one act by each way out, so that there is something to be seen')
  const before = await controls(field)
  for (const problem of fresh([...before, ...(await watch.lookAtAll())])) fail('controls', problem)

  const all = families(field, t)
  // the name of a family stands for all of its cases
  const chosen = pattern && all.some(({ name }) => pattern.test(name)) ? all.filter(({ name }) => pattern.test(name)) : all
  for (const family of chosen) {
    if (typeof family.skip === 'string') {
      skipped.push({ family: family.name, reason: family.skip })
      continue
    }
    say(`\n${family.name}`)
    const attacks = await family.attacks()
    const left = attacks.filter(({ name }) => !pattern || chosen !== all || pattern.test(name))
    const work = async () => {
      for (let attack = left.shift(); attack; attack = left.shift()) {
        const outcome = await tried(attack.attempt)
        const leaks = fresh(await watch.look())
        report({ family: family.name, name: attack.name, ...outcome, ...(leaks.length > 0 && { leaks }) })
      }
    }
    await Promise.all(Array.from({ length: family.together ?? 1 }, work))
    for (const problem of fresh(await watch.lookAtAll())) fail(family.name, problem)
  }
  for (const problem of fresh([...(await controls(field)), ...(await watch.lookAtAll())])) fail('controls', problem)
  if (!(await field.house.call<{ ok: boolean }>('releaser', 'GET', '/audit/verify')).ok) fail('the audit', 'it does not verify')
  summary(watch.released())
} finally {
  for (const release of releases.reverse()) await release()
}

/** What is out stays out; it is told once, where it was seen first. */
function fresh(problems: readonly string[]): string[] {
  return problems.filter((problem) => !told.has(problem) && told.add(problem))
}

async function tried(attempt: () => Promise<Outcome> | Outcome): Promise<Outcome | { broken: string }> {
  try {
    return await attempt()
  } catch (error) {
    return { broken: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

function report(result: Result): void {
  results.push(result)
  const isWrong = result.stopped === undefined || result.leaks !== undefined
  if (isWrong) failures += 1
  const what = result.stopped ?? (result.got === undefined ? `COULD NOT BE TRIED: ${result.broken}` : `GOT OUT: ${result.got}`)
  say(`${isWrong ? '✖' : '✔'} ${result.name}: ${what}${result.leaks ? ` LEFT: ${result.leaks.join('; ')}` : ''}`)
}

/** Something that is out, and no case of its own. */
function fail(family: string, problem: string): void {
  failures += 1
  results.push({ family, name: 'what left', leaks: [problem] })
  say(`✖ ${family}: LEFT: ${brief(problem, 400)}`)
}

function summary(released: number): void {
  const cases = results.filter(({ name }) => name !== 'what left')
  const unsigned = results.filter(({ leaks }) => leaks?.some((leak) => /signature|is no released draft|were released|in no released draft/.test(leak))).length
  const words = results.filter(({ leaks }) => leaks?.some((leak) => /word|credential/.test(leak))).length
  const mayNotSkip = process.env['CI'] === 'true' && skipped.length > 0
  for (const { family, reason } of skipped) say(`– skipped ${family}: ${reason}`)
  if (cases.length === 0) failures += 1
  process.exitCode = failures > 0 || mayNotSkip ? 1 : 0
  const seconds = Math.round((performance.now() - started) / 1_000)
  if (json) process.stdout.write(`${JSON.stringify({ cases: cases.length, failures, unsigned, words, released, skipped, seconds, results }, null, 1)}\n`)
  else say(`\n${cases.length} cases, ${failures} failures, ${unsigned} unsigned releases, ${words} canaries outside; ${released} signed drafts released and verified; ${skipped.length} families skipped; ${seconds} s`)
}
