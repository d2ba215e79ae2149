import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readMultipart, readWhole } from './read-multipart.ts'
import { mostBytes, mostLines, splitLines } from './split-lines.ts'

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size)
}

async function read(body: Buffer | string, contentType = 'multipart/form-data; boundary=xx', size = 7): Promise<[string, string | undefined, string][]> {
  const parts: [string, string | undefined, string][] = []
  for await (const { name, filename, body: of } of readMultipart(inPieces(Buffer.from(body), size), contentType)) parts.push([name, filename, await readWhole(of, 1_000)])
  return parts
}

const form = '--xx\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--xx\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\nContent-Type: text/plain\r\n\r\none\r\n--x\r\n-\ntwo\n\r\n--xx--\r\n'
const isInvalid = { code: 'request.invalid' }

test('a form is the same in pieces of whatever size', async () => {
  for (let size = 1; size <= form.length; size += 1) {
    assert.deepEqual(await read(form, undefined, size), [['purpose', undefined, 'batch'], ['file', 'a.jsonl', 'one\r\n--x\r\n-\ntwo\n']], `${size}`)
  }
  assert.deepEqual(await read(`what is before it\r\n${form}and behind`, 'multipart/form-data; charset=x; boundary="xx"'), await read(form))
})

test('it reads what the platform itself writes', async () => {
  const data = new FormData()
  data.append('purpose', 'batch')
  data.append('file', new Blob(['{"a": "ü"}\n']), 'x y.jsonl')
  const written = new Response(data)
  assert.deepEqual(await read(Buffer.from(await written.arrayBuffer()), written.headers.get('content-type')!), [['purpose', undefined, 'batch'], ['file', 'x y.jsonl', '{"a": "ü"}\n']])
})

test('a part that nobody reads is passed over', async () => {
  const names: string[] = []
  for await (const { name } of readMultipart(inPieces(Buffer.from(form), 5), 'multipart/form-data; boundary=xx')) names.push(name)
  assert.deepEqual(names, ['purpose', 'file'])
})

test('what is no form, or ends in its middle, is refused', async () => {
  for (let end = 0; end < form.length - 4; end += 1) await assert.rejects(read(form.slice(0, end)), isInvalid, `${end}`)
  for (const body of ['', 'nothing', '--xx\r\n\r\n\r\n--xx--', '--xx\r\nContent-Disposition: attachment\r\n\r\nx\r\n--xx--', '--xxy', `--xx\r\n${'x'.repeat(9_000)}\r\n\r\n\r\n--xx--`]) await assert.rejects(read(body), isInvalid, body.slice(0, 40))
  for (const type of ['multipart/form-data', 'multipart/form-data; boundary=', 'application/json']) await assert.rejects(read(form, type), isInvalid, type)
  const field = '--xx\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n'
  await assert.rejects(read(`${field.repeat(21)}--xx--`), isInvalid)
})

async function linesOf(pieces: AsyncIterable<Buffer>): Promise<string[]> {
  const lines: string[] = []
  for await (const group of splitLines(pieces)) lines.push(...group.map(String))
  return lines
}

test('lines put together again are the file, whatever its ends', async () => {
  for (const text of ['', '\n', 'a', 'a\n', 'a\r\nb', '\n\na\n\n']) {
    for (const size of [1, 2, 100]) assert.equal((await linesOf(inPieces(Buffer.from(text), size))).join('\n'), text)
  }
})

test('a file has so many lines and bytes, and a line as many as a call', async () => {
  const tooLarge = { code: 'request.too_large' }
  assert.equal((await linesOf(inPieces(Buffer.from('x\n'.repeat(mostLines)), 65_536))).length, mostLines + 1)
  await assert.rejects(linesOf(inPieces(Buffer.from('\n'.repeat(mostLines + 2)), 65_536)), tooLarge)
  await assert.rejects(linesOf(inPieces(Buffer.alloc(9 * 1024 * 1024, 'x'), 65_536)), /line 1 has more than 8 MiB/)
  const million = Buffer.from(`${'x'.repeat(1024 * 1024 - 1)}\n`)
  async function* endless() {
    for (;;) yield million
  }
  let seen = 0
  await assert.rejects(async () => {
    for await (const group of splitLines(endless())) seen += group.reduce((sum, line) => sum + line.length + 1, 0)
  }, tooLarge)
  assert.ok(seen <= mostBytes)
})
