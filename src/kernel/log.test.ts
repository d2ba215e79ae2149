import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { Fault } from './fault.ts'
import { createLogger } from './log.ts'

function capture() {
  const lines: string[] = []
  const log = createLogger({ name: 'test', destination: { write: (line: string) => void lines.push(line) }, level: 'debug' })
  return { log, last: () => JSON.parse(lines.at(-1)!) as Record<string, unknown>, text: () => lines.join('') }
}

describe('log', () => {
  test('a line says when, who, how bad and what, in words', () => {
    const { log, last } = capture()
    log.info({ run: 'r1', count: 3 }, 'run opened')
    const { time, pid, ...rest } = last()
    assert.deepEqual(rest, { level: 'info', name: 'test', run: 'r1', count: 3, msg: 'run opened' })
    assert.equal(pid, process.pid)
    assert.ok(!Number.isNaN(Date.parse(time as string)))
  })

  const secrets: [string, string][] = [
    ['session key', 'cst_0123456789abcdef0123456789abcdef'],
    ['bearer', 'Bearer abcdef0123456789'],
    ['provider key', 'sk-proj-abcdefghijklmnop0123456789'],
    ['JSON web token', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl'],
    ['private key', '-----BEGIN PRIVATE KEY-----\nMC4CAQAw"BQYDK2VwBCIEIJ\n-----END PRIVATE KEY-----'],
    ['URL with password', 'postgres://owner:hunter2secret@host/db'],
    ['inline password', 'password=hunter2secret'],
    ['cut private key', '-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIPqK\\'],
  ]
  for (const [what, secret] of secrets) {
    test(`a ${what} is taken out wherever it stands, and the line stays JSON`, () => {
      const { log, last, text } = capture()
      const kernel = secret.replace(/^(Bearer |postgres:\/\/owner:|password=|-----[^-]*-----\n)/, '').slice(0, 12)
      log.info({ note: `before ${secret}`, deep: { list: [secret] } }, `said ${secret}`)
      last()
      log.error({ err: new Fault('internal', 'x', `failed with ${secret}`, { at: secret }, new Error(secret)) }, 'failed')
      last()
      log.child({ about: secret }).warn('child')
      last()
      assert.ok(!text().includes(kernel), text())
    })
  }

  test('what stands under the name of a secret is taken out, however deep; counts of tokens stay', () => {
    const { log, last } = capture()
    log.info({ password: 'abc', headers: { Authorization: 'x', cookie: ['a'] }, database: { ownerPassword: 'p' }, apiKey: { value: 'y' }, input_tokens: 12, token: '' })
    const { password, headers, database, apiKey, input_tokens, token } = last()
    assert.deepEqual(
      { password, headers, database, apiKey, input_tokens, token },
      { password: '[redacted]', headers: { Authorization: '[redacted]', cookie: '[redacted]' }, database: { ownerPassword: '[redacted]' }, apiKey: '[redacted]', input_tokens: 12, token: '' },
    )
  })

  test('the row that PostgreSQL attaches to an error is left out', () => {
    const { log, last, text } = capture()
    log.error({ err: Object.assign(new Error('duplicate key value'), { code: '23505', detail: 'Key (subject)=(the diagnosis) exists', where: 'the diagnosis' }) }, 'x')
    assert.equal((last().err as { code: string }).code, '23505')
    assert.ok(!text().includes('diagnosis'))
  })

  test('bytes and circles cost a short word', () => {
    const { log, last } = capture()
    const circle: Record<string, unknown> = { wire: Buffer.alloc(5) }
    circle['self'] = circle
    log.info({ circle })
    assert.equal((last().circle as { wire: string }).wire, '[5 bytes]')
  })

  test('a file is made for its owner alone, and every line is in it at once', (t) => {
    const file = join(temporaryFolder(t), 'deep', 'server.log')
    createLogger({ name: 'test', destination: file }).info('first')
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.match(readFileSync(file, 'utf8'), /first/)
  })

  test('a full disk is said once on standard error and ends nothing', { skip: !existsSync('/dev/full') }, (t) => {
    const said: string[] = []
    t.mock.method(process.stderr, 'write', (text: string) => Boolean(said.push(text)))
    const log = createLogger({ name: 'test', destination: '/dev/full' })
    log.info('one')
    log.info('two')
    assert.equal(said.length, 1, said.join())
  })
})
