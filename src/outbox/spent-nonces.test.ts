import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { openSpentNonces, type SpentNonce } from './spent-nonces.ts'

const entry = (digit: string, changes: Partial<SpentNonce> = {}): SpentNonce => ({
  nonce: digit.repeat(64), draft: `019514a0-0000-7000-8000-00000000000${digit}`, item: digit.repeat(64), act: 'release', at: '2026-03-02T09:00:00.000Z', ...changes,
})
const fileOf = (folder: string) => join(folder, 'spent-nonces.jsonl')

test('a spent nonce is known after the file was opened again, and cannot be spent twice', async (t) => {
  const folder = temporaryFolder(t)
  const first = await openSpentNonces(folder)
  await first.spend(entry('1'))
  await assert.rejects(first.spend(entry('1')), { code: 'nonce.spent' })
  await first.close()
  const again = await openSpentNonces(folder)
  assert.deepEqual(again.find('1'.repeat(64)), entry('1'))
  assert.equal(again.count, 1)
  await assert.rejects(again.spend(entry('2'), entry('1')), { code: 'nonce.spent' })
  assert.equal(again.find('2'.repeat(64)), undefined)
  await again.close()
  assert.equal(statSync(fileOf(folder)).mode & 0o777, 0o600)
})

test('an act that was taken back may be proposed again, one that was released or lost may not', async (t) => {
  const spent = await openSpentNonces(temporaryFolder(t))
  await spent.spend(entry('1', { act: 'undo' }), entry('2'), entry('3', { act: 'lost' }))
  assert.deepEqual(['1', '2', '3'].map((digit) => spent.released(digit.repeat(64))?.act), [undefined, 'release', 'lost'])
  await spent.close()
})

test('a release that was returned is unspent again, one that failed is not, and nothing else is followed by either', async (t) => {
  const folder = temporaryFolder(t)
  const nonce = '1'.repeat(64)
  const first = await openSpentNonces(folder)
  await assert.rejects(first.spend(entry('1', { act: 'returned' })), { code: 'nonce.unspent' })
  await first.spend(entry('1'))
  await assert.rejects(first.spend(entry('1', { act: 'returned', draft: entry('2').draft })), { kind: 'internal' })
  await first.spend(entry('1', { act: 'returned' }))
  assert.deepEqual([first.find(nonce), first.released(nonce)], [undefined, undefined])
  await assert.rejects(first.spend(entry('1', { act: 'returned' })), { code: 'nonce.unspent' })
  await first.spend(entry('1'))
  assert.equal(first.released(nonce)?.act, 'release')
  await first.spend(entry('1', { act: 'failed' }))
  await first.close()
  const again = await openSpentNonces(folder)
  assert.deepEqual([again.find(nonce)?.act, again.released(nonce), again.count], ['failed', undefined, 4])
  for (const act of ['release', 'failed', 'undo'] as const) await assert.rejects(again.spend(entry('1', { act })), { code: 'nonce.spent' })
  await again.close()
})

test('a line that a crash tore off is cut away; the entries before it stand', async (t) => {
  const folder = temporaryFolder(t)
  const first = await openSpentNonces(folder)
  await first.spend(entry('1'))
  await first.close()
  const whole = readFileSync(fileOf(folder))
  const line = `${JSON.stringify(entry('2'))}\n`
  for (let cut = 1; cut < line.length; cut += 7) {
    writeFileSync(fileOf(folder), Buffer.concat([whole, Buffer.from(line.slice(0, cut))]))
    const spent = await openSpentNonces(folder)
    assert.equal(spent.count, 1)
    assert.deepEqual(readFileSync(fileOf(folder)), whole)
    await spent.spend(entry('3'))
    await spent.close()
    assert.equal(readFileSync(fileOf(folder), 'utf8').split('\n').length, 3)
    writeFileSync(fileOf(folder), whole)
  }
})

test('a file that is damaged in the middle opens nothing', async (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(fileOf(folder), `${JSON.stringify(entry('1'))}\nnonsense\n${JSON.stringify(entry('2'))}\n`)
  await assert.rejects(openSpentNonces(folder), { code: 'nonce.file', message: /line 2/ })
  assert(!existsSync(`${fileOf(folder)}.lock`))
})

test('a second releaser is refused while the first lives, in this process or in another', async (t) => {
  const folder = temporaryFolder(t)
  const first = await openSpentNonces(folder)
  await assert.rejects(openSpentNonces(folder), { code: 'releaser.running' })
  const child = spawn(process.execPath, ['--input-type=module', '-e', `
    const { openSpentNonces } = await import(${JSON.stringify(join(import.meta.dirname, 'spent-nonces.ts'))})
    process.exitCode = await openSpentNonces(${JSON.stringify(folder)}).then(() => 0, (error) => error.code === 'releaser.running' ? 7 : 1)`])
  assert.deepEqual(await once(child, 'exit'), [7, null])
  await first.close()
  await (await openSpentNonces(folder)).close()
})

test('the lock of a releaser that was killed is taken over', async (t) => {
  const folder = temporaryFolder(t)
  const child = spawn(process.execPath, ['--input-type=module', '-e', `
    const { openSpentNonces } = await import(${JSON.stringify(join(import.meta.dirname, 'spent-nonces.ts'))})
    await openSpentNonces(${JSON.stringify(folder)})
    process.kill(process.pid, 'SIGKILL')`])
  assert.deepEqual(await once(child, 'exit'), [null, 'SIGKILL'])
  assert(existsSync(`${fileOf(folder)}.lock`))
  await (await openSpentNonces(folder)).close()
})

test('a releaser that was replaced, or whose file somebody changed, spends nothing more', async (t) => {
  const changes: ((folder: string) => void)[] = [
    (folder) => writeFileSync(`${fileOf(folder)}.lock`, JSON.stringify({ pid: 1, born: '', token: 'another' })),
    (folder) => appendFileSync(fileOf(folder), `${JSON.stringify(entry('9'))}\n`),
    (folder) => writeFileSync(fileOf(folder), ''),
    (folder) => rmSync(fileOf(folder)),
  ]
  for (const change of changes) {
    const folder = temporaryFolder(t)
    const spent = await openSpentNonces(folder)
    await spent.spend(entry('1'))
    change(folder)
    await assert.rejects(spent.spend(entry('2')), { code: 'releaser.replaced' })
    assert.equal(spent.find('2'.repeat(64)), undefined)
    await spent.close()
  }
})

test('a nonce that could not be written is not spent, and leaves no trace', async (t) => {
  const folder = temporaryFolder(t)
  let full = true
  const spent = await openSpentNonces(folder, {
    append: async (file, line) => {
      await file.write(full ? line.subarray(0, 20) : line)
      if (full) throw new Error('ENOSPC: no space left on device')
    },
  })
  await assert.rejects(spent.spend(entry('1')), { code: 'nonce.unwritable' })
  assert.equal(readFileSync(fileOf(folder), 'utf8'), '')
  full = false
  await spent.spend(entry('1'))
  assert.equal(readFileSync(fileOf(folder), 'utf8'), `${JSON.stringify(entry('1'))}\n`)
  await spent.close()
})

test('nonces that are spent at the same time are all there, one line each', async (t) => {
  const folder = temporaryFolder(t)
  const spent = await openSpentNonces(folder)
  const digits = [...'123456789']
  await Promise.all(digits.map((digit) => spent.spend(entry(digit))))
  await assert.rejects(spent.spend(entry('5')), { code: 'nonce.spent' })
  await spent.close()
  assert.equal(readFileSync(fileOf(folder), 'utf8').split('\n').length, digits.length + 1)
})
