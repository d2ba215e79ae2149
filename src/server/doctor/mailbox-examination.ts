import type { Database } from '../../kernel/database/connect.ts'
import type { House } from '../../house/index.ts'
import type { Examination, Finding } from './doctor.ts'

export interface MailboxDeps {
  readonly database: Database
  readonly house: () => Pick<House, 'settings'>
}

/** How the mirrors of mailboxes on servers are, by what the releaser records of them. */
export function mailboxExamination({ database, house }: MailboxDeps): Examination {
  return { id: 'mailboxes', mend: 'castellan config explain mail.accounts', look: () => mailboxes(database, house()) }
}

async function mailboxes(database: Database, { settings }: Pick<House, 'settings'>): Promise<Finding[]> {
  const declared = settings.mail.accounts.flatMap((account) => (account.kind === 'imap' ? account.folders.map((folder) => ({ account: account.name, folder })) : []))
  if (declared.length === 0) return [{ status: 'ok', what: 'no mailbox on a server is declared' }]
  const rows = await database.kysely.selectFrom('mailbox').select(['account', 'folder', 'state', 'problem', 'messages', 'refused']).execute()
  const known = declared.map((one) => ({ ...one, row: rows.find(({ account, folder }) => account === one.account && folder === one.folder) }))
  const well = known.flatMap(({ row }) => (row?.state === 'watching' || row?.state === 'mirroring' ? [row] : []))
  const messages = well.reduce((sum, row) => sum + row.messages, 0)
  return [
    { status: 'ok', what: `${well.length} of ${declared.length} folder(s) are mirrored, with ${messages} message(s) so far` },
    ...known.flatMap(({ account, folder, row }): Finding[] => {
      const place = `${account} ${folder}`
      if (!row) return [{ status: 'warn', what: `${place}: it is not open yet` }]
      const last = row.refused.at(-1)
      return [
        ...(well.includes(row) ? [] : [{ status: row.state === 'refused' ? ('fail' as const) : ('warn' as const), what: `${place}: ${row.problem ?? 'it is not open yet'}` }]),
        ...(last ? [{ status: 'warn' as const, what: `${place}: ${row.refused.length} message(s) were not taken in, the last of them number ${last.uid}: ${last.reason}` }] : []),
      ]
    }),
  ]
}
