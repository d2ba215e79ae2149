import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const skip = process.platform === 'linux' && existsSync('/usr/bin/prlimit') && process.getuid?.() === 0 ? false : 'only root can lift a limit to see it lowered, on Linux with prlimit (apt install util-linux)'

test('neither it nor a program that it starts leaves a core dump, in a file or at a program that takes them', { skip }, () => {
  const script = `const { withoutCoreDumps } = await import(${JSON.stringify(join(import.meta.dirname, 'without-core-dumps.ts'))}); withoutCoreDumps(); console.log((await import('node:child_process')).execFileSync('cat', ['/proc/self/limits'], { encoding: 'utf8' }))`
  const limits = execFileSync('/usr/bin/prlimit', ['--core=unlimited', process.execPath, '--input-type=module', '-e', script], { encoding: 'utf8' })
  // the kernel gives a program in core_pattern a dump at a limit of 0 too, and at 1 none (core(5), fs/coredump.c)
  assert.match(limits, /^Max core file size +1 +1 /m)
})
