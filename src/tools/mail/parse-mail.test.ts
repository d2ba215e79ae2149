import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { describe, test } from 'node:test'
import { runBounded } from '../../sandbox/index.ts'
import { createSandbox } from '../../sandbox/index.ts'
import { confinedNode } from './confined-node.ts'
import { createMailParser, type ParseMailDeps } from './parse-mail.ts'
import type { ParsedMail } from './parsed-mail.ts'

const signal = new AbortController().signal
const letter = (subject: string, body = 'text') => Buffer.from(`From: Eva <eva@example.org>\r\nSubject: ${subject}\r\n\r\n${body}`)
/** Its reader needs more time than the test allows. */
const slow = Buffer.concat([letter('slow'), Buffer.alloc(12_000_000, '\n')])

const bubblewrap = existsSync('/usr/bin/bwrap')
const ways = [
  { way: 'in the sandbox', sandbox: await createSandbox(), skip: bubblewrap ? false : 'bubblewrap is missing: apt install bubblewrap' },
  { way: 'without a sandbox', sandbox: await createSandbox({ bwrapPath: '/nowhere/bwrap' }), skip: false },
]

for (const { way, sandbox, skip } of ways) {
  describe(`the process that reads mail, ${way}`, { skip }, () => {
    const parse = async (raws: Buffer[], more: Partial<ParseMailDeps> = {}) => {
      const mails: ParsedMail[] = []
      for await (const [index, mail] of createMailParser({ sandbox, ...more })(raws, signal)) mails[index] = mail
      return mails
    }

    test('answers each message of a batch in its place', async () => {
      const mails = await parse([letter('one'), letter('two', 'x'.repeat(200_000)), Buffer.alloc(0), letter('four')])
      assert.deepEqual(mails.map((mail) => mail.envelope.subject), ['one', 'two', '', 'four'])
      assert.deepEqual(mails.map((mail) => mail.text.length), [4, 200_000, 0, 4])
    })

    test('is ended by a message that takes too long, which is met once: its head is kept, and all others are read', async () => {
      const mails = await parse([letter('before'), slow, letter('after'), letter('last')], { timeoutMs: 3_000 })
      assert.deepEqual(mails.map((mail) => mail.envelope.subject), ['before', 'slow', 'after', 'last'])
      assert.deepEqual(mails.map((mail) => mail.error?.code), [undefined, 'mail.too_slow', undefined, undefined])
    })

    test('goes on after a message that is built of thousands of parts', async () => {
      const many = Buffer.concat([Buffer.from('Subject: many\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n'), Buffer.alloc(900_000, '--B\r\n\r\n\u00e4\r\n')])
      const mails = await parse([letter('before'), many, letter('after')])
      assert.deepEqual(mails.map((mail) => mail.envelope.subject), ['before', 'many', 'after'])
      assert.equal(mails[1]!.error?.code, 'mail.limit')
    })

    test('stops with the signal of the run', async () => {
      const parser = createMailParser({ sandbox })
      await assert.rejects(async () => {
        for await (const _ of parser([slow], AbortSignal.timeout(300))) assert.fail('it was not stopped')
      }, { name: 'TimeoutError' })
    })
  })
}

test('a reader that does not even start touches no message', async () => {
  const parser = createMailParser({ sandbox: ways[1]!.sandbox, heapMegabytes: 1 })
  await assert.rejects(async () => {
    for await (const _ of parser([letter('one')], signal)) assert.fail('a message was answered')
  }, { kind: 'unavailable', code: 'mail.parser', message: /no message was touched/ })
})

test('Node itself keeps the reader from files, processes, threads, and from the rest of the environment', async () => {
  const attempts = {
    'read a file': `require('fs').readFileSync('/etc/passwd')`,
    'list a folder': `require('fs').readdirSync('/')`,
    'write a file': `require('fs').writeFileSync('/tmp/castellan-test', 'x')`,
    'start a program': `require('child_process').execFileSync('/bin/true')`,
    'start a thread': `new (require('worker_threads').Worker)('1', { eval: true })`,
    'make code of text': `new Function('return 1')()`,
  }
  const { file, options } = confinedNode(64)
  const environment = await runBounded({ file, arguments: [...options, '-e', 'process.stdout.write(JSON.stringify(process.env))'], env: {}, timeoutMs: 10_000, outputBytes: 10_000 })
  assert.equal(environment.stdout.toString(), '{}')
  for (const [name, code] of Object.entries(attempts)) {
    const { stdout } = await runBounded({
      file, arguments: [...options, '-e', `try { ${code}; process.stdout.write('did it') } catch (error) { process.stdout.write(error.code ?? error.name) }`],
      env: {}, timeoutMs: 10_000, outputBytes: 10_000,
    })
    assert.match(stdout.toString(), /^(ERR_ACCESS_DENIED|EvalError)$/, name)
  }
})
