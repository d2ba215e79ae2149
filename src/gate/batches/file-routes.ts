import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Fault } from '../../kernel/fault.ts'
import { wrong } from '../check.ts'
import { toFileId, uuidOf } from './batch-id.ts'
import type { BatchDeps } from './batch-routes.ts'
import { clientOf, labelOf } from './client.ts'
import type { FileRow } from './file-store.ts'
import { readPage } from './page.ts'
import { readMultipart, readWhole } from './read-multipart.ts'
import { mostBytes, splitLines } from './split-lines.ts'

type ById = { Params: { id: string } }

/** What a form has besides its file. */
const mostForm = 64 * 1024
const longestField = 1024

/** OpenAI's files, as far as batches need them. */
export function fileRoutes(app: FastifyInstance, deps: BatchDeps): void {
  const { files } = deps.batches

  async function fileOf(request: FastifyRequest<ById>): Promise<FileRow> {
    const { id } = request.params
    const uuid = uuidOf('file-', id)
    const file = uuid && (await files.find(clientOf(request).id, uuid))
    if (!file) throw missingFile(id)
    return file
  }

  app.addContentTypeParser('multipart/form-data', (_request, payload, done) => done(null, payload))

  app.post('/v1/files', async (request) => {
    const body = request.body as IncomingMessage
    try {
      return viewOf(await receive(request, body))
    } finally {
      // what is left unread would hold up the answer, and the next request of this connection
      body?.resume?.()
    }
  })

  app.get('/v1/files', async (request) => {
    const { after, limit, query } = readPage(request, 'file-', 10_000)
    const { purpose } = query
    const holds = purpose === undefined ? ['input', 'answers', 'errors'] : purpose === 'batch' ? ['input'] : purpose === 'batch_output' ? ['answers', 'errors'] : []
    const rows = await files.list(clientOf(request).id, { holds, after, limit: limit + 1 })
    const data = rows.slice(0, limit).map(viewOf)
    return { object: 'list', data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null, has_more: rows.length > limit }
  })

  app.get<ById>('/v1/files/:id', async (request) => viewOf(await fileOf(request)))

  app.get<ById>('/v1/files/:id/content', async (request, reply) => {
    const file = await fileOf(request)
    const pieces = files.content(file)
    // what fails here can still be told
    const first = await pieces.next()
    return reply.type('application/octet-stream').send(Readable.from(withFirst(first, pieces), { objectMode: false }))
  })

  app.delete<ById>('/v1/files/:id', async (request) => {
    const { id } = await fileOf(request)
    const outcome = await files.remove(clientOf(request).id, id)
    if (outcome === 'missing') throw missingFile(request.params.id)
    if (outcome === 'in_use') throw new Fault('refused', 'files.in_use', 'a batch still reads this file; cancel the batch, or wait until it has ended')
    return { id: toFileId(id), object: 'file', deleted: true }
  })

  async function receive(request: FastifyRequest, body: IncomingMessage): Promise<FileRow> {
    const session = clientOf(request)
    const label = labelOf(request, session)
    const contentType = request.headers['content-type'] ?? ''
    if (!/^multipart\/form-data\b/i.test(contentType)) throw new Fault('invalid', 'request.media_type', 'a file is sent in as multipart/form-data, with the fields purpose and file')
    if (Number(request.headers['content-length'] ?? 0) > mostBytes + mostForm) throw new Fault('invalid', 'request.too_large', `the file has more than ${mostBytes / 1024 / 1024} MiB; make several of it`)
    let purpose: string | undefined
    let id: string | undefined
    let [bytes, lines] = [0, 0]
    try {
      for await (const part of readMultipart(body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>, contentType)) {
        if (part.filename === undefined) {
          const text = await readWhole(part.body, longestField)
          if (part.name === 'purpose') purpose = text
          continue
        }
        if (part.name !== 'file' || id !== undefined) throw wrong('file', 'the one file of the form')
        id = await files.begin({ key: session.id, label, name: nameOf(part.filename), now: deps.clock.now() })
        for await (const group of splitLines(part.body)) {
          await files.append(id, lines + 1, group)
          lines += group.length
          bytes += group.reduce((sum, line) => sum + line.length + 1, 0)
        }
      }
      if (id === undefined) throw wrong('file', 'there')
      if (purpose !== 'batch') throw wrong('purpose', 'batch; other files are not kept here')
      // no line feed stands behind the last line
      return await files.finish(id, bytes - 1, lines)
    } catch (error) {
      if (id !== undefined) await files.discard(id).catch((failure: unknown) => deps.log.warn({ err: failure }, 'what was left of a file could not be removed; the next start does'))
      throw error
    }
  }
}

async function* withFirst(first: IteratorResult<string | Buffer, void>, rest: AsyncGenerator<string | Buffer, void, void>): AsyncGenerator<string | Buffer, void, void> {
  if (first.done) return
  yield first.value
  yield* rest
}

function missingFile(id: string): Fault {
  return new Fault('missing', 'files.missing', `this key has no file ${id.slice(0, 100)}`, { param: 'id' })
}

function nameOf(filename: string): string {
  const last = filename.split(/[/\\]/).at(-1)!.replace(/\p{C}/gu, '').slice(-200)
  return last === '' ? 'batch.jsonl' : last
}

function viewOf({ id, holds, name, bytes, madeAt }: FileRow): { readonly id: string } {
  return Object.assign({ id: toFileId(id) }, {
    object: 'file', bytes, created_at: Math.floor(madeAt.getTime() / 1_000), filename: name,
    purpose: holds === 'input' ? 'batch' : 'batch_output', status: 'processed',
  })
}
