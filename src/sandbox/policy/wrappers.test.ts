import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { unwrap } from './wrappers.ts'

const folder = mkdtempSync(join(tmpdir(), 'castellan-wrappers-'))
after(() => rmSync(folder, { recursive: true, force: true }))
/** Programs that say that it was they who were run, and with what. */
const [one, other] = ['one', 'other'].map((name) => {
  const path = join(folder, name)
  writeFileSync(path, '#!/bin/sh\nprintf \'%s\\n\' ran "$0" "$@" end\n')
  chmodSync(path, 0o755)
  return path
}) as [string, string]

/** Words that the options of any of them are made of, in whatever order an attacker finds. */
const words: Readonly<Record<string, readonly string[]>> = {
  env: ['-i', '-', '--', '-u', 'A', '-uA', 'A=b', '=', '-0', '-v', '-iu', '--unset', '--unset=A', '--ignore-environment', '--ignore', '-S', '-C', '/', '--argv0=x', '-a'],
  nice: ['-n', '5', '-5', '-n5', '--5', '--', '--adjustment', '--adjustment=3', '-', '--adj=3'],
  nohup: ['--', '-', '--version', '-x', '5'],
  timeout: ['-k', '1', '5', '5s', '-k1', '-s', 'KILL', '-sKILL', '-v', '--foreground', '--kill-after=1', '--kill-after', '--signal', '--', '-vk', '--sig=KILL', '-'],
  stdbuf: ['-o', 'L', '-oL', '-o0', '-i', '0', '--output=L', '--output', '--', '-e0'],
  setsid: ['-w', '-c', '-f', '-cw', '--', '--wait', '-x', '-'],
  ionice: ['-c', '3', '-c3', '-n', '4', '-t', '--class', '--class=3', '--', '-p', '1', '-tc3', '-tc'],
  taskset: ['-c', '0', '1', '-a', '--', '--cpu-list', '-p', '-ac', '0x1'],
  time: ['-p', '-f', '%e', '-v', '--', '-q', '--format=x'],
}

/** What stands before the command, of those that take something there. */
const operands: Readonly<Record<string, string[]>> = { timeout: ['5'], taskset: ['1'] }

for (const [name, options] of Object.entries(words)) {
  const program = `/usr/bin/${name}`
  test(`${name} starts what the policy looks at, and nothing else`, { skip: existsSync(program) ? false : `${name} is missing: apt install coreutils util-linux time` }, () => {
    let ran = 0
    const word = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...options) }, { weight: 1, arbitrary: fc.constantFrom(one, other) })
    fc.assert(fc.property(fc.array(word, { maxLength: 5 }), fc.constantFrom([], operands[name] ?? []), fc.constantFrom(['x'], ['-i', 'A=b'], ['--', other]), (before, operand, rest) => {
      const args = [...before, ...operand, one, ...rest]
      const { wrapped, hides } = unwrap([name], args)
      // what is refused is not run, whatever it would do
      if (hides !== undefined) return
      const { stdout } = spawnSync(program, args, { encoding: 'utf8', cwd: folder, timeout: 10_000, stdio: ['ignore', 'pipe', 'ignore'] })
      const said = /^ran\n([\s\S]*?)\nend$/m.exec(stdout)?.[1]
      if (said === undefined) return
      ran += 1
      assert.deepEqual(wrapped, [{ argv: said.split('\n'), applet: false }], args.join(' '))
    }), { numRuns: 150 })
    assert.ok(ran > 10, `only ${ran} of them ran`)
  })
}

test('find starts no program but those that the policy looks at', () => {
  let ran = 0
  const exec = fc.constantFrom('-exec', '-execdir').chain((how) => fc.array(fc.constantFrom('{}', 'x', '+', '-exec', '-print', one, other), { maxLength: 3 }).chain((rest) =>
    fc.constantFrom([';'], ['{}', '+'], ['+'], []).map((end) => [how, one, ...rest, ...end])))
  const expression = fc.array(fc.oneof({ weight: 2, arbitrary: exec }, { weight: 1, arbitrary: fc.constantFrom(['-print'], ['-o'], ['!'], ['-true'], ['('], [')'], [','], ['-name', '-exec'], ['-exec']) }), { minLength: 1, maxLength: 4 })
  fc.assert(fc.property(expression, (parts) => {
    const args = ['.', '-maxdepth', '0', ...parts.flat()]
    const { wrapped, hides } = unwrap(['find'], args)
    if (hides !== undefined) return
    const { stdout } = spawnSync('/usr/bin/find', args, { encoding: 'utf8', cwd: folder, env: { PATH: '/usr/bin:/bin' }, timeout: 10_000, stdio: ['ignore', 'pipe', 'ignore'] })
    const started = [...stdout.matchAll(/^ran\n(.*)$/gm)].map((match) => match[1]!)
    ran += started.length
    const known = wrapped.map(({ argv }) => argv[0])
    assert.deepEqual(started.filter((path) => !known.includes(path)), [], args.join(' '))
  }), { numRuns: 400, examples: [[[['-name', '-exec'], ['-o'], ['-exec', one, '+', '-exec', '-exec', ';']]]] })
  assert.ok(ran > 10, `only ${ran} of them ran`)
})
