import { sql } from 'kysely'
import { Fault } from '../../kernel/fault.ts'
import { fromRow, type Label } from '../../labels/index.ts'
import { storableText } from '../storable.ts'
import type { Mailbox, Message } from './mailbox.ts'
import { emptyEnvelope, envelopeSchema, parseErrorSchema } from './parsed-mail.ts'
import { readWaiting, type ReadWaitingDeps } from './read-waiting.ts'

export interface MailboxDeps extends ReadWaitingDeps {
  raise(label: Label): void
}

/** The mailbox as the worker's role and the run's level let it be seen. Messages that nobody has read yet are read first. */
export function createMailbox(deps: MailboxDeps): Mailbox {
  const { database, run, raise } = deps

  function rows() {
    return database.kysely
      .selectFrom('mail_message')
      .select(['id', 'account', 'folder', 'received_at', 'size', 'envelope', 'body_text', 'parsed_at', 'parse_error', 'label_level', 'label_integrity', 'label_lanes'])
      .where('label_level', '<=', run.readsUpTo)
      // the sweep leaves the name of a message behind, so that it is not mirrored again
      .where((or) => or.or([or('envelope', 'is not', null), or('parsed_at', 'is', null)]))
  }
  type Row = Awaited<ReturnType<ReturnType<typeof rows>['execute']>>[number]

  function seen(row: Row): Message {
    const label = fromRow(row)
    raise(label)
    const envelope = envelopeSchema.safeParse(row.envelope)
    const error = row.parsed_at === null
      ? { code: 'mail.waiting', message: 'it was not read yet; the next run reads it' }
      : parseErrorSchema.safeParse(row.parse_error).data
    return {
      id: row.id, account: row.account, folder: row.folder, receivedAt: row.received_at, size: row.size, label,
      envelope: envelope.success ? envelope.data : emptyEnvelope,
      text: row.body_text ?? '',
      ...(error && { parseError: error }),
    }
  }

  return {
    async list({ account, since, limit }) {
      await readWaiting(deps, { account, since })
      let query = rows().orderBy('received_at', 'desc').orderBy('id', 'desc').limit(limit)
      if (account !== undefined) query = query.where('account', '=', account)
      if (since !== undefined) query = query.where('received_at', '>=', since)
      return (await query.execute()).map(seen)
    },

    async read(id) {
      await readWaiting(deps, { id })
      const row = await rows().where('id', '=', id).executeTakeFirst()
      if (!row) throw new Fault('missing', 'mail.missing', `there is no message ${id} that this run may read; its level or its lane may be the reason`, { id })
      return seen(row)
    },

    async search({ query, since, limit }) {
      await readWaiting(deps, { since })
      const wanted = storableText(query)
      const people = sql<string>`lower((select string_agg(part #>> '{}', ' ') from jsonb_path_query(
        jsonb_build_array(envelope -> 'from') || (envelope -> 'to') || (envelope -> 'cc'), '$[*].*') as part))`
      const words = sql`to_tsvector('simple', concat_ws(' ', envelope ->> 'subject', body_text))`
      let found = rows()
        .where((or) => or.or([sql<boolean>`${words} @@ websearch_to_tsquery('simple', ${wanted})`, sql<boolean>`strpos(${people}, lower(${wanted})) > 0`]))
        .orderBy('received_at', 'desc').orderBy('id', 'desc').limit(limit)
      if (since !== undefined) found = found.where('received_at', '>=', since)
      return (await found.execute()).map(seen)
    },
  }
}
