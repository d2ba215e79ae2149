import type { Database } from '../../kernel/database/connect.ts'
import { parseBoundedJson } from '../../kernel/bounded-json.ts'
import { Fault } from '../../kernel/fault.ts'
import { fromRow, type Label } from '../../labels/index.ts'
import type { ToolRun } from '../tool-context.ts'

/** What was delivered to a webhook. Every word of it is a stranger's, whoever signed it. */
export interface WebhookEvent {
  readonly id: string
  readonly webhook: string
  /** As the sender calls it. */
  readonly eventId: string
  readonly type: string
  readonly receivedAt: Date
  readonly payload: unknown
}

/** Events as one run may see them: rows of its worker up to its level, and each that is returned raises its label. */
export interface Events {
  /** Throws a Fault `missing` for an event that is not there or that the run may not read; both look the same. */
  read(id: string): Promise<WebhookEvent>
}

export interface EventsDeps {
  /** With the worker's own role. */
  readonly database: Database
  readonly run: Pick<ToolRun, 'readsUpTo'>
  raise(label: Label): void
}

export function createEvents({ database, run, raise }: EventsDeps): Events {
  return {
    async read(id) {
      const row = await database.kysely.selectFrom('inbound_event')
        .select(['id', 'source', 'event_id', 'type', 'received_at', 'body', 'label_level', 'label_integrity', 'label_lanes'])
        .where('id', '=', id).where('label_level', '<=', run.readsUpTo).executeTakeFirst()
      if (!row) throw new Fault('missing', 'webhook.missing', `there is no event ${id} that this run may read; its level or its lane may be the reason, or its time was over`, { id })
      raise(fromRow(row))
      const parsed = parseBoundedJson(row.body)
      if (!parsed) throw new Fault('invalid', 'webhook.unreadable', `the event ${id} is not JSON`, { id })
      return { id: row.id, webhook: row.source, eventId: row.event_id, type: row.type, receivedAt: row.received_at, payload: parsed.value }
    },
  }
}
