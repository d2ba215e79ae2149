import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { Fault } from '../../kernel/fault.ts'
import type { GateDeps } from '../app.ts'
import { authenticateFirst, readHeaders } from '../authenticate.ts'
import { fields, wrong } from '../check.ts'
import { tellErrors } from '../tell-errors.ts'
import { openaiError } from '../wire-error.ts'
import { toBatchId, uuidOf } from './batch-id.ts'
import { endpoints, type BatchRow, type BatchStore } from './batch-store.ts'
import { batchView } from './batch-view.ts'
import { clientOf, labelOf } from './client.ts'
import { fileRoutes } from './file-routes.ts'
import type { FileStore } from './file-store.ts'
import { readPage } from './page.ts'

export interface BatchDeps extends Pick<GateDeps, 'sessions' | 'clock' | 'log'> {
  readonly batches: BatchStore & {
    readonly files: FileStore
    /** There may be something to do. */
    wake(): void
  }
}

type ById = { Params: { id: string } }

const windowMs = 86_400_000
const mostPairs = 16

/** OpenAI's batches, and the files that they are made of. */
export function batchRoutes(deps: BatchDeps): FastifyPluginAsync {
  const { batches, clock } = deps

  async function batchOf(request: FastifyRequest<ById>): Promise<BatchRow> {
    const { id } = request.params
    const uuid = uuidOf('batch_', id)
    const batch = uuid && (await batches.find(clientOf(request).id, uuid))
    if (!batch) throw new Fault('missing', 'batch.missing', `this key has no batch ${id.slice(0, 100)}`, { param: 'id' })
    return batch
  }

  return async (app) => {
    tellErrors(app, deps, openaiError)
    authenticateFirst(app, deps, { freshly: true })
    fileRoutes(app, deps)

    app.post('/v1/batches', async (request) => {
      const session = clientOf(request)
      const asked = fields(request.body, '')
      const inputFile = uuidOf('file-', asked.get('input_file_id'))
      if (!inputFile) throw wrong('input_file_id', 'the id of a file that was sent in with purpose batch')
      const endpoint = asked.oneOf('endpoint', endpoints)
      if (!endpoint) throw wrong('endpoint', `one of ${endpoints.join(', ')}`)
      if (asked.oneOf('completion_window', ['24h']) === undefined) throw wrong('completion_window', '24h')
      const openedAt = clock.now()
      const batch = await batches.open({
        key: session.id, keyHash: session.keyHash, inputFile, endpoint, task: readHeaders(request).task, label: labelOf(request, session),
        metadata: readMetadata(asked.get('metadata')), openedAt, windowEndsAt: new Date(openedAt.getTime() + windowMs),
      })
      batches.wake()
      return batchView(batch)
    })

    app.get('/v1/batches', async (request) => {
      const { after, limit } = readPage(request, 'batch_', 100)
      const rows = await batches.list(clientOf(request).id, { after, limit: limit + 1 })
      const data = rows.slice(0, limit)
      const idAt = (place: number) => (data.at(place) ? toBatchId(data.at(place)!.id) : null)
      return { object: 'list', data: data.map(batchView), first_id: idAt(0), last_id: idAt(-1), has_more: rows.length > limit }
    })

    app.get<ById>('/v1/batches/:id', async (request) => batchView(await batchOf(request)))

    app.post<ById>('/v1/batches/:id/cancel', async (request) => {
      const { id } = await batchOf(request)
      const batch = await batches.cancel(clientOf(request).id, id, clock.now())
      if (!batch) throw new Fault('refused', 'batch.closed', 'this batch has ended, and its answers are there; there is nothing to cancel')
      batches.wake()
      return batchView(batch)
    })
  }
}

/** Up to 16 pairs of texts, as OpenAI takes them. */
function readMetadata(given: unknown): BatchRow['metadata'] {
  if (given === undefined || given === null) return null
  const pairs = Object.entries(typeof given === 'object' && !Array.isArray(given) ? given : { '': undefined })
  const isText = (text: unknown, most: number): text is string => typeof text === 'string' && text.length <= most && text.isWellFormed() && !text.includes('\0')
  if (pairs.length > mostPairs || !pairs.every(([name, value]) => isText(name, 64) && isText(value, 512))) throw wrong('metadata', `up to ${mostPairs} pairs of a name of up to 64 and a text of up to 512 characters`)
  return Object.fromEntries(pairs)
}
